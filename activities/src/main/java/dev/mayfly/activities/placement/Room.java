package dev.mayfly.activities.placement;

import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A host that is not LOST, as placement sees it.
 *
 * @param ready whether it may be given slots now: neither silent nor drained. One that may not still counts as "could run it when empty"
 * @param capacity what it has
 * @param free what no slot reserves; its CPUs may be more than {@code capacity}'s where CPUs are overcommitted, and any
 *     of it may be negative after the host was made smaller
 * @param running what takes room now and will give it back; only looked at for the reservations of heads, and may be left
 *     empty as if no end were known
 */
public record Room(
        String hostId,
        long epoch,
        boolean ready,
        Arch arch,
        Set<String> labels,
        Capacity capacity,
        Capacity free,
        List<Running> running) {

    public Room {
        labels = Set.copyOf(labels);
        running = List.copyOf(running);
    }

    /**
     * A VM there.
     *
     * @param takes what its end gives back
     * @param end when that is expected; null if nobody knows
     */
    public record Running(Capacity takes, @Nullable Instant end) {}

    public Room withRunning(List<Running> now) {
        return new Room(hostId, epoch, ready, arch, labels, capacity, free, now);
    }

    /** As it is, but to be given nothing. */
    public Room notReady() {
        return new Room(hostId, epoch, false, arch, labels, capacity, free, running);
    }

    /** As it is with one more VM of this size. */
    public Room without(VmSize size) {
        Capacity left = new Capacity(
                free.milliCpus() - size.milliCpus(),
                free.memoryMib() - size.hostMemoryMib(),
                free.diskMib() - size.diskMib());
        return new Room(hostId, epoch, ready, arch, labels, capacity, left, running);
    }

    /** Whether this host could run it if it were empty. */
    boolean couldRun(Request request) {
        return labels.containsAll(request.labels()) && Placement.fits(request.size(), arch, capacity);
    }
}
