package dev.mayfly.api.sweep;

import dev.mayfly.workflows.job.JobKey;
import org.jspecify.annotations.Nullable;

/**
 * A slot that the sweeper has taken.
 *
 * @param claimedBy the job that GitLab handed to it, null if none
 */
public record SweptSlot(
        String slotId, String hostId, long epoch, @Nullable JobKey claimedBy) {}
