package dev.mayfly.activities.ledger;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A slot that a job holds or held.
 *
 * @param until null while it holds it
 * @param runnerId GitLab's number of the slot's last runner; null before there is one
 * @param image digest of what its last VM was started from; null if the host has told of none, or has no images
 * @param vms how many VMs were started in it, as far as the host has told
 * @param claimedAt when GitLab handed this job to it; null if it didn't
 */
public record HeldSlot(
        String slotId,
        String hostId,
        Instant from,
        @Nullable Instant until,
        @Nullable Long runnerId,
        @Nullable String image,
        int vms,
        @Nullable Instant claimedAt) {}
