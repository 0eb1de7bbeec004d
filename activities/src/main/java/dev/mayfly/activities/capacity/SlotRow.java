package dev.mayfly.activities.capacity;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import org.jdbi.v3.core.mapper.Nested;
import org.jspecify.annotations.Nullable;

/**
 * A row of {@code slot} with who holds it and its host's epoch now. Jobs stand as their keys. Public only because the row
 * mapper needs it so.
 *
 * @param owner who dismantles it: a job or {@link #SWEEPER}; null once it is released
 */
public record SlotRow(
        String id,
        String hostId,
        long epoch,
        @Nested VmSize size,
        @Nullable String owner,
        @Nullable String holder,
        @Nullable String claimedBy,
        long generation,
        long hostEpoch,
        Instant createdAt,
        @Nullable String releasedBy) {

    /** The owner that is no job. */
    static final String SWEEPER = "sweeper";

    boolean isReleased() {
        return owner == null;
    }

    /** Whether the host was LOST since the slot was granted: it is void there and reserves nothing. */
    boolean isOld() {
        return epoch != hostEpoch;
    }

    boolean isOwnedBySweeper() {
        return SWEEPER.equals(owner);
    }

    Holding toHolding() {
        Long claimedJobId = claimedBy == null ? null : JobKey.parse(claimedBy).jobId();
        return new Holding(id, hostId, epoch, size, generation, claimedJobId);
    }

    SlotView toView() {
        return new SlotView(
                id,
                hostId,
                epoch,
                size,
                generation,
                owner == null || isOwnedBySweeper() ? null : JobKey.parse(owner),
                holder == null ? null : JobKey.parse(holder),
                claimedBy == null ? null : JobKey.parse(claimedBy),
                isOld(),
                createdAt);
    }
}
