package dev.mayfly.activities.capacity;

import dev.mayfly.activities.placement.Room;
import java.util.List;
import java.util.Set;

/**
 * A host that could not run a VM draws every next job onto itself, since it is the emptiest or the first. So it is given
 * none for a while, as long as another host could do as well; the only one of its kind goes on being tried.
 */
final class Avoidance {

    private Avoidance() {}

    /** The rooms with those not ready that are avoided and have a stand-in. */
    static List<Room> of(Set<String> avoided, List<Room> rooms) {
        if (avoided.isEmpty()) {
            return rooms;
        }
        List<Room> others = rooms.stream()
                .filter(room -> room.ready() && !avoided.contains(room.hostId()))
                .toList();
        return rooms.stream()
                .map(room -> avoided.contains(room.hostId()) && others.stream().anyMatch(other -> standsIn(other, room))
                        ? room.notReady()
                        : room)
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
