package dev.mayfly.activities.placement;

import dev.mayfly.workflows.job.VmSize;
import java.util.List;

/**
 * How placement is configured.
 *
 * @param spread false: onto the host that is fullest with it, which keeps others free for large jobs; true: onto the one
 *     that is emptiest with it, which keeps jobs from disturbing each other
 * @param cpuOvercommit how many CPUs may be promised for each that a host has; at least 1. Memory and disk are never
 *     promised twice
 * @param passesBeforeReserve how many grants may pass a head before a host is closed for all others; at least 1
 * @param smallest the least that any job asks for: a host with less than that free is full
 * @param mostStarting how many slots may wait for their job at once, in all; who would be one more waits in the queue,
 *     where it can be overtaken
 * @param limits each holds for all that it covers, beside the others
 */
public record Rules(
        boolean spread,
        double cpuOvercommit,
        int passesBeforeReserve,
        VmSize smallest,
        int mostStarting,
        List<Limit> limits) {

    public Rules {
        limits = List.copyOf(limits);
        if (passesBeforeReserve < 1) {
            throw new IllegalArgumentException(
                    "passesBeforeReserve is %d; it must be at least 1".formatted(passesBeforeReserve));
        }
        if (!(cpuOvercommit >= 1)) {
            throw new IllegalArgumentException("cpuOvercommit is %s; it must be at least 1".formatted(cpuOvercommit));
        }
    }

    /** Whether a host has room for anything at all now. */
    public boolean leaveRoomOn(Room room) {
        return room.ready() && Placement.fits(smallest, room.free());
    }

    /** What an installation that configures nothing gets. */
    public static Rules standard() {
        return new Rules(false, 1, 10, VmSize.of(250, 256, 0), 200, List.of());
    }
}
