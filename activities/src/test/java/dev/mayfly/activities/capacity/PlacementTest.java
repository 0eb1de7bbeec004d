package dev.mayfly.activities.capacity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.capacity.Placement.Grant;
import dev.mayfly.activities.capacity.Placement.Request;
import dev.mayfly.activities.capacity.Placement.Room;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.VmSize;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/**
 * First fit in the queue's order, for all fleets and queues. Samples are small, and are not shrunk: jqwik mixes up the
 * two lists.
 */
class PlacementTest {

    private static final int UNIT_MIB = 1024;

    @Provide
    Arbitrary<List<Room>> fleets() {
        Arbitrary<Integer> amount = Arbitraries.integers().between(0, 8);
        return Combinators.combine(amount, amount, amount, amount, Arbitraries.of(true, false))
                .as((cpus, memory, disk, used, ready) -> new Room(
                        "host",
                        1,
                        Arch.X86_64,
                        ready,
                        capacity(cpus, memory, disk),
                        capacity(Math.max(0, cpus - used), Math.max(0, memory - used), Math.max(0, disk - used))))
                .list()
                .ofMaxSize(5)
                .map(rooms -> IntStream.range(0, rooms.size())
                        .mapToObj(i -> renamed(rooms.get(i), "host-" + i))
                        .toList());
    }

    @Provide
    Arbitrary<List<Request>> queues() {
        Arbitrary<Integer> amount = Arbitraries.integers().between(1, 6);
        return Combinators.combine(amount, amount, amount)
                .as(PlacementTest::size)
                .list()
                .ofMaxSize(12)
                .map(sizes -> IntStream.range(0, sizes.size())
                        .mapToObj(i -> new Request("job-" + i, sizes.get(i)))
                        .toList());
    }

    @Property(tries = 1000, shrinking = ShrinkingMode.OFF)
    void noHostIsGivenMoreThanItHasFreeNorAnythingWhileItIsNotReady(
            @ForAll("fleets") List<Room> rooms, @ForAll("queues") List<Request> queue) {
        List<Grant> grants = Placement.place(rooms, queue);

        for (Room room : rooms) {
            List<VmSize> given = grants.stream()
                    .filter(grant -> grant.room().hostId().equals(room.hostId()))
                    .map(grant -> grant.request().size())
                    .toList();
            assertThat(room.ready() || given.isEmpty()).isTrue();
            assertThat(given.stream().mapToInt(VmSize::milliCpus).sum())
                    .isLessThanOrEqualTo(room.free().milliCpus());
            assertThat(given.stream().mapToInt(VmSize::hostMemoryMib).sum())
                    .isLessThanOrEqualTo(room.free().memoryMib());
            assertThat(given.stream().mapToInt(VmSize::diskMib).sum())
                    .isLessThanOrEqualTo(room.free().diskMib());
        }
    }

    @Property(tries = 1000, shrinking = ShrinkingMode.OFF)
    void everyJobIsGrantedOnceInOrderAndOnTheFirstHostThatHasRoomForIt(
            @ForAll("fleets") List<Room> rooms, @ForAll("queues") List<Request> queue) {
        List<Grant> grants = Placement.place(rooms, queue);

        assertThat(grants).extracting(Grant::request).isSubsetOf(queue).doesNotHaveDuplicates();
        assertThat(grants).extracting(grant -> queue.indexOf(grant.request())).isSorted();
        for (int i = 0; i < grants.size(); i++) {
            Grant grant = grants.get(i);
            List<Grant> before = grants.subList(0, i);
            List<String> fitting = rooms.stream()
                    .filter(Room::ready)
                    .filter(room -> fits(grant.request().size(), left(room, before)))
                    .map(Room::hostId)
                    .toList();
            assertThat(fitting).first().isEqualTo(grant.room().hostId());
        }
    }

    @Property(tries = 1000, shrinking = ShrinkingMode.OFF)
    void whoIsPassedOverFitsNoHostEvenWhenEmptyAndWhoIsLeftWaitsBehindOneThatFitsLater(
            @ForAll("fleets") List<Room> rooms, @ForAll("queues") List<Request> queue) {
        List<Grant> grants = Placement.place(rooms, queue);
        List<Request> granted = grants.stream().map(Grant::request).toList();

        for (Request request : queue) {
            if (!granted.contains(request)) {
                boolean fitsSomeday = rooms.stream().anyMatch(room -> fits(request.size(), room.capacity()));
                assertThat(rooms)
                        .as("%s would fit now", request)
                        .noneMatch(room ->
                                room.ready() && fits(request.size(), left(room, grantsBefore(request, queue, grants))));
                if (fitsSomeday) {
                    assertThat(granted)
                            .as("nobody overtakes %s", request)
                            .allMatch(other -> queue.indexOf(other) < queue.indexOf(request));
                    return;
                }
            }
        }
    }

    @Property(tries = 200, shrinking = ShrinkingMode.OFF)
    void theSameFleetAndQueueGiveTheSameGrants(
            @ForAll("fleets") List<Room> rooms, @ForAll("queues") List<Request> queue) {
        assertThat(Placement.place(rooms, queue)).isEqualTo(Placement.place(List.copyOf(rooms), List.copyOf(queue)));
    }

    @Example
    void smallJobsDoNotStarveALargeOne() {
        Room half = new Room("a", 1, Arch.X86_64, true, capacity(4, 4, 4), capacity(2, 2, 2));
        List<Request> queue = List.of(new Request("large", size(4, 4, 4)), new Request("small", size(1, 1, 1)));

        assertThat(Placement.place(List.of(half), queue)).isEmpty();
    }

    @Example
    void aJobThatNoHostCouldEverRunHoldsBackNobody() {
        Room half = new Room("a", 1, Arch.X86_64, true, capacity(4, 4, 4), capacity(2, 2, 2));
        List<Request> queue = List.of(new Request("huge", size(9, 9, 9)), new Request("small", size(1, 1, 1)));

        assertThat(Placement.place(List.of(half), queue))
                .extracting(grant -> grant.request().job())
                .containsExactly("small");
    }

    @Example
    void aJobWaitsForASilentHostThatMayComeBackRatherThanLetOthersPass() {
        Room silent = new Room("a", 1, Arch.X86_64, false, capacity(4, 4, 4), capacity(4, 4, 4));
        Room small = new Room("b", 1, Arch.X86_64, true, capacity(2, 2, 2), capacity(2, 2, 2));
        List<Request> queue = List.of(new Request("large", size(4, 4, 4)), new Request("small", size(1, 1, 1)));

        assertThat(Placement.place(List.of(silent, small), queue)).isEmpty();
    }

    private static List<Grant> grantsBefore(Request request, List<Request> queue, List<Grant> grants) {
        return grants.stream()
                .filter(grant -> queue.indexOf(grant.request()) < queue.indexOf(request))
                .toList();
    }

    private static Capacity left(Room room, List<Grant> given) {
        List<VmSize> sizes = given.stream()
                .filter(grant -> grant.room().hostId().equals(room.hostId()))
                .map(grant -> grant.request().size())
                .toList();
        return new Capacity(
                room.free().milliCpus()
                        - sizes.stream().mapToInt(VmSize::milliCpus).sum(),
                room.free().memoryMib()
                        - sizes.stream().mapToInt(VmSize::hostMemoryMib).sum(),
                room.free().diskMib() - sizes.stream().mapToInt(VmSize::diskMib).sum());
    }

    private static boolean fits(VmSize size, Capacity into) {
        return size.milliCpus() <= into.milliCpus()
                && size.hostMemoryMib() <= into.memoryMib()
                && size.diskMib() <= into.diskMib();
    }

    /** In units of CPU, memory and disk. */
    private static VmSize size(int cpus, int memory, int disk) {
        return VmSize.of(cpus, memory * UNIT_MIB, disk);
    }

    /** In units: as many of memory as VMs of one unit have room for. */
    private static Capacity capacity(int cpus, int memory, int disk) {
        return new Capacity(cpus, memory * size(1, 1, 1).hostMemoryMib(), disk);
    }

    private static Room renamed(Room room, String name) {
        return new Room(name, room.epoch(), room.arch(), room.ready(), room.capacity(), room.free());
    }
}
