package dev.mayfly.activities.ledger;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Something that lives.
 *
 * @param number of a host's things the VM's boot, of a runner GitLab's number, else of no meaning
 * @param jobKey for whom it was made
 * @param owner who dismantles its slot now: a job or {@code sweeper}; null once the slot is released
 * @param hostLost whether its host was LOST since: nobody has said yet that it is gone
 */
public record LedgerEntry(
        String kind,
        String slotId,
        long number,
        String jobKey,
        @Nullable String owner,
        String hostId,
        boolean hostLost,
        Instant createdAt) {}
