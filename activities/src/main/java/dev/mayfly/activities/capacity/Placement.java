package dev.mayfly.activities.capacity;

import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.VmSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.mapper.Nested;

/**
 * Which waiting job goes to which host. Pure: first fit in the queue's order. A job that fits nowhere now holds back
 * those behind it, so that small jobs can't starve a large one; a job that fits no host even when empty holds back
 * nobody.
 */
public final class Placement {

    private Placement() {}

    /**
     * A host that is not LOST.
     *
     * @param ready whether it may be given slots now; one that may not still counts as "could fit it when empty"
     */
    public record Room(String hostId, long epoch, Arch arch, boolean ready, Capacity capacity, Capacity free) {}

    public record Request(String job, @Nested VmSize size) {}

    public record Grant(Request request, Room room) {}

    /** Grants for a prefix of {@code inOrder}, as far as there is room. */
    public static List<Grant> place(List<Room> rooms, List<Request> inOrder) {
        List<Room> left = new ArrayList<>(rooms);
        List<Grant> grants = new ArrayList<>();
        for (Request request : inOrder) {
            Optional<Room> fit = left.stream()
                    .filter(room -> room.ready() && fits(request.size(), room.arch(), room.free()))
                    .findFirst();
            if (fit.isPresent()) {
                Room room = fit.get();
                grants.add(new Grant(request, room));
                left.set(left.indexOf(room), without(room, request.size()));
            } else if (rooms.stream().anyMatch(room -> fits(request.size(), room.arch(), room.capacity()))) {
                break;
            }
        }
        return grants;
    }

    /** Whether a host of this architecture has room for a VM of this size if it has so much. */
    public static boolean fits(VmSize size, Arch arch, Capacity into) {
        return size.arch() == arch
                && size.milliCpus() <= into.milliCpus()
                && size.hostMemoryMib() <= into.memoryMib()
                && size.diskMib() <= into.diskMib();
    }

    private static Room without(Room room, VmSize size) {
        Capacity free = new Capacity(
                room.free().milliCpus() - size.milliCpus(),
                room.free().memoryMib() - size.hostMemoryMib(),
                room.free().diskMib() - size.diskMib());
        return new Room(room.hostId(), room.epoch(), room.arch(), room.ready(), room.capacity(), free);
    }
}
