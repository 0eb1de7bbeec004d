package dev.mayfly.activities.capacity;

import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A slot that is not released, as the sweeper sees it.
 *
 * @param owner the job that answers for it, null if the sweeper does
 * @param holder the job that holds it, null if none does
 * @param claimedBy the job that GitLab handed to it, null before the claim
 * @param lost whether its host was LOST since: the epoch is old
 */
public record SlotView(
        String slotId,
        String hostId,
        long epoch,
        VmSize size,
        long generation,
        @Nullable JobKey owner,
        @Nullable JobKey holder,
        @Nullable JobKey claimedBy,
        boolean lost,
        Instant createdAt) {}
