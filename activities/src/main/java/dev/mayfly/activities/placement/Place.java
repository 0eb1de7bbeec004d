package dev.mayfly.activities.placement;

import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A host while a pass goes on. */
final class Place {

    final Room room;
    final int index;
    private Capacity free;
    /** The job that the host is reserved for. */
    private @Nullable String reservedFor;
    /** When that one is expected to start; null if the host is closed for all others. */
    private @Nullable Instant from;
    /** What is left beside it from then on. */
    private Capacity beside = new Capacity(0, 0, 0);

    Place(Room room, int index) {
        this.room = room;
        this.index = index;
        this.free = room.free();
    }

    boolean hasRoom(Request request) {
        return room.ready() && Placement.fits(request.size(), free) && room.couldRun(request);
    }

    @Nullable
    String reservedFor() {
        return reservedFor;
    }

    @Nullable
    Instant from() {
        return from;
    }

    boolean isClosed() {
        return reservedFor != null && from == null;
    }

    /** Whether granting this would not delay who it is reserved for. */
    boolean isOpenTo(Request request, Instant now) {
        return reservedFor == null
                || (from != null && (Placement.fits(request.size(), beside) || endsBefore(from, request, now)));
    }

    private static boolean endsBefore(Instant time, Request request, Instant now) {
        return request.expected() != null && !now.plus(request.expected()).isAfter(time);
    }

    void take(Request request, Instant now) {
        free = minus(free, Placement.taken(request.size()));
        if (from != null && !endsBefore(from, request, now)) {
            beside = minus(beside, Placement.taken(request.size()));
        }
    }

    void close(String job) {
        reservedFor = job;
        from = null;
    }

    /** From a time that {@link #roomFor} gave. */
    void reserve(Request head, Instant time, Instant now) {
        reservedFor = head.job();
        from = time;
        beside = minus(freeAt(time, now), Placement.taken(head.size()));
    }

    /** When it is expected to have room for it, if nothing is granted meanwhile; null if nobody knows. */
    @Nullable
    Instant roomFor(Request head, Instant now) {
        if (room.running().isEmpty()) {
            return null;
        }
        Capacity then = free;
        for (Room.Running next : byEnd(now)) {
            then = plus(then, next.takes());
            if (Placement.fits(head.size(), then)) {
                return later(Objects.requireNonNull(next.end()), now);
            }
        }
        return null;
    }

    private Capacity freeAt(Instant time, Instant now) {
        Capacity then = free;
        for (Room.Running next : byEnd(now)) {
            if (!later(Objects.requireNonNull(next.end()), now).isAfter(time)) {
                then = plus(then, next.takes());
            }
        }
        return then;
    }

    private List<Room.Running> byEnd(Instant now) {
        return room.running().stream()
                .filter(running -> running.end() != null)
                .sorted(Comparator.comparing(running -> later(Objects.requireNonNull(running.end()), now)))
                .toList();
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    /** See {@link Placement}. */
    double leftover(VmSize placed) {
        return square(free.milliCpus() - placed.milliCpus(), room.capacity().milliCpus())
                + square(
                        free.memoryMib() - placed.hostMemoryMib(),
                        room.capacity().memoryMib())
                + square(free.diskMib() - placed.diskMib(), room.capacity().diskMib());
    }

    /** How much of its scarcest resource it lacks for this, as a share of the host's capacity. */
    double lack(VmSize wanted) {
        double cpu =
                share(wanted.milliCpus() - free.milliCpus(), room.capacity().milliCpus());
        double memory =
                share(wanted.hostMemoryMib() - free.memoryMib(), room.capacity().memoryMib());
        return Math.max(
                cpu,
                Math.max(
                        memory,
                        share(wanted.diskMib() - free.diskMib(), room.capacity().diskMib())));
    }

    private static double square(int part, int whole) {
        double share = share(part, whole);
        return share * share;
    }

    private static double share(int part, int whole) {
        return part / (double) Math.max(1, whole);
    }

    private static Capacity plus(Capacity one, Capacity other) {
        return new Capacity(
                one.milliCpus() + other.milliCpus(),
                one.memoryMib() + other.memoryMib(),
                one.diskMib() + other.diskMib());
    }

    private static Capacity minus(Capacity one, Capacity other) {
        return new Capacity(
                one.milliCpus() - other.milliCpus(),
                one.memoryMib() - other.memoryMib(),
                one.diskMib() - other.diskMib());
    }
}
