package dev.mayfly.activities.capacity;

import dev.mayfly.activities.placement.Room;
import java.util.List;

/**
 * A host that could not run a VM draws every next job onto itself, for it stays the best fit. So it is given none for a
 * while, as long as another host could do as well; the only one of its kind goes on being tried.
 */
final class Avoidance {

    private Avoidance() {}

    /** @param avoided whether it could not run a VM lately */
    record Host(Room room, boolean avoided) {}

    /** All of them; those that are avoided and have a stand-in are not ready. */
    static List<Room> apply(List<Host> hosts) {
        if (hosts.stream().noneMatch(Host::avoided)) {
            return hosts.stream().map(Host::room).toList();
        }
        List<Room> others = hosts.stream()
                .filter(host -> !host.avoided() && host.room().ready())
                .map(Host::room)
                .toList();
        return hosts.stream()
                .map(host -> host.avoided() && others.stream().anyMatch(other -> standsIn(other, host.room()))
                        ? host.room().notReady()
                        : host.room())
                .toList();
    }

    /** Whether whatever runs on this host could run on the other one, were both empty. */
    private static boolean standsIn(Room other, Room room) {
        return other.arch() == room.arch()
                && other.labels().containsAll(room.labels())
                && other.capacity().milliCpus() >= room.capacity().milliCpus()
                && other.capacity().memoryMib() >= room.capacity().memoryMib()
                && other.capacity().diskMib() >= room.capacity().diskMib();
    }
}
