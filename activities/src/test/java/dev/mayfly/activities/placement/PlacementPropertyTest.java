package dev.mayfly.activities.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.placement.Decision.Grant;
import dev.mayfly.activities.placement.Decision.Reservation;
import dev.mayfly.activities.placement.Decision.Waiting;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/** One decision, for all fleets, queues, limits and rules. Samples are small, and are not shrunk: jqwik mixes up lists. */
class PlacementPropertyTest {

    @Provide
    Arbitrary<List<Room>> fleets() {
        return Fleets.rooms();
    }

    @Provide
    Arbitrary<List<Request>> queues() {
        return Fleets.queues();
    }

    @Provide
    Arbitrary<Rules> rules() {
        return Fleets.rules();
    }

    private static Decision decide(List<Room> rooms, List<Request> queue, Rules rules) {
        return Placement.place(rooms, queue, List.of(), rules, Fleets.NOW);
    }

    @Property(tries = 2000, shrinking = ShrinkingMode.OFF)
    void noHostIsGivenMoreThanItHasFree(
            @ForAll("fleets") List<Room> rooms, @ForAll("queues") List<Request> queue, @ForAll("rules") Rules rules) {
        List<Grant> grants = decide(rooms, queue, rules).grants();

        for (Room room : rooms) {
            List<VmSize> given = given(room, grants);
            Capacity left = left(room, grants);
            assertThat(given.isEmpty() || (left.milliCpus() >= 0 && left.memoryMib() >= 0 && left.diskMib() >= 0))
                    .as("%s on %s", given, room)
                    .isTrue();
        }
    }

    @Property(tries = 2000, shrinking = ShrinkingMode.OFF)
    void nothingIsPlacedOnAHostThatIsUnfitForIt(
            @ForAll("fleets") List<Room> rooms, @ForAll("queues") List<Request> queue, @ForAll("rules") Rules rules) {
        assertThat(decide(rooms, queue, rules).grants()).allSatisfy(grant -> {
            assertThat(grant.room().ready()).isTrue();
            assertThat(grant.room().arch()).isEqualTo(grant.request().size().arch());
            assertThat(grant.room().labels()).containsAll(grant.request().labels());
        });
    }

    @Property(tries = 1000, shrinking = ShrinkingMode.OFF)
    void theSameIsDecidedForTheSame(
            @ForAll("fleets") List<Room> rooms, @ForAll("queues") List<Request> queue, @ForAll("rules") Rules rules) {
        assertThat(decide(rooms, queue, rules)).isEqualTo(decide(List.copyOf(rooms), List.copyOf(queue), rules));
    }

    @Property(tries = 1000, shrinking = ShrinkingMode.OFF)
    void everyRequestIsEitherGrantedOnceOrWaitsWithAReasonEachInTheQueuesOrder(
            @ForAll("fleets") List<Room> rooms, @ForAll("queues") List<Request> queue, @ForAll("rules") Rules rules) {
        Decision decision = decide(rooms, queue, rules);

        List<Request> granted = decision.grants().stream().map(Grant::request).toList();
        List<Request> left = decision.waiting().stream().map(Waiting::request).toList();
        List<Request> all = new ArrayList<>(granted);
        all.addAll(left);
        assertThat(all).containsExactlyInAnyOrderElementsOf(queue);
        assertThat(granted).extracting(queue::indexOf).isSorted();
        assertThat(left).extracting(queue::indexOf).isSorted();
    }

    @Property(tries = 2000, shrinking = ShrinkingMode.OFF)
    void whoWaitsHasNoRoomOnAnyHostThatIsNotReservedAndIsAtNoLimit(
            @ForAll("fleets") List<Room> rooms, @ForAll("queues") List<Request> queue, @ForAll("rules") Rules rules) {
        Decision decision = decide(rooms, queue, rules);
        List<String> reserved =
                decision.reservations().stream().map(Reservation::hostId).toList();

        for (Waiting waiting : decision.waiting()) {
            if (waiting.reason() instanceof Reason.AtLimit) {
                continue;
            }
            assertThat(rooms)
                    .as("%s waits: %s", waiting.request(), waiting.reason())
                    .noneMatch(room -> !reserved.contains(room.hostId())
                            && room.ready()
                            && room.couldRun(waiting.request())
                            && Placement.fits(waiting.request().size(), left(room, decision.grants())));
        }
    }

    @Property(tries = 2000, shrinking = ShrinkingMode.OFF)
    void whoIsGrantedIsAtNoLimitAndWhoWaitsForALimitIsAtIt(
            @ForAll("fleets") List<Room> rooms, @ForAll("queues") List<Request> queue, @ForAll("rules") Rules rules) {
        Decision decision = decide(rooms, queue, rules);

        for (Limit limit : rules.limits()) {
            List<VmSize> granted = decision.grants().stream()
                    .filter(grant -> limit.covers("gl", grant.request().projectPath()))
                    .map(grant -> grant.request().size())
                    .toList();
            assertThat(granted.size()).isLessThanOrEqualTo(limit.jobs());
            assertThat(sum(granted, VmSize::milliCpus)).isLessThanOrEqualTo(limit.milliCpus());
            assertThat(sum(granted, VmSize::memoryMib)).isLessThanOrEqualTo(limit.memoryMib());
        }
        for (Waiting waiting : decision.waiting()) {
            if (waiting.reason() instanceof Reason.AtLimit at) {
                List<VmSize> used = decision.grants().stream()
                        .map(Grant::request)
                        .filter(request -> queue.indexOf(request) < queue.indexOf(waiting.request()))
                        .filter(request -> at.limit().covers("gl", request.projectPath()))
                        .map(Request::size)
                        .toList();
                VmSize size = waiting.request().size();
                assertThat(used.size() + 1 > at.limit().jobs()
                                || sum(used, VmSize::milliCpus) + size.milliCpus()
                                        > at.limit().milliCpus()
                                || sum(used, VmSize::memoryMib) + size.memoryMib()
                                        > at.limit().memoryMib())
                        .as("%s with %s in use", waiting, used)
                        .isTrue();
            }
        }
    }

    @Property(tries = 2000, shrinking = ShrinkingMode.OFF)
    void nothingIsGrantedOnAClosedHostAfterItsHead(
            @ForAll("fleets") List<Room> rooms, @ForAll("queues") List<Request> queue, @ForAll("rules") Rules rules) {
        Decision decision = decide(rooms, queue, rules);

        for (Reservation reservation : decision.reservations()) {
            Waiting head = head(decision, reservation);
            int before = head.request().passed();
            int passed = Optional.ofNullable(decision.passed().get(reservation.job()))
                    .orElse(before);
            List<Grant> past = decision.grants().stream()
                    .filter(grant -> queue.indexOf(grant.request()) > queue.indexOf(head.request()))
                    .filter(grant -> grant.room().couldRun(head.request()))
                    .toList();
            assertThat(passed - before).as("all that passed %s", head).isEqualTo(past.size());
            if (reservation.from() == null && before >= rules.passesBeforeReserve()) {
                long closed = decision.reservations().stream()
                        .filter(one -> one.job().equals(reservation.job()) && one.from() == null)
                        .count();
                assertThat(closed).isPositive();
            }
        }
    }

    /** With ends as expected: what the head would have found at its time without those behind it, it finds with them. */
    @Property(tries = 3000, shrinking = ShrinkingMode.OFF)
    void whoPassesAHeadDoesNotDelayIt(
            @ForAll("fleets") List<Room> rooms, @ForAll("queues") List<Request> queue, @ForAll("rules") Rules rules) {
        Decision decision = decide(rooms, queue, rules);

        for (Reservation reservation : decision.reservations()) {
            Instant from = reservation.from();
            if (from == null) {
                continue;
            }
            Room room = rooms.stream()
                    .filter(one -> one.hostId().equals(reservation.hostId()))
                    .findFirst()
                    .orElseThrow();
            List<Capacity> taken = new ArrayList<>();
            decision.grants().stream()
                    .filter(grant -> grant.room().hostId().equals(room.hostId()))
                    .filter(grant -> stillRuns(
                            grant, from, queue, head(decision, reservation).request()))
                    .forEach(grant -> taken.add(Placement.taken(grant.request().size())));
            Capacity then = room.free();
            for (Room.Running running : room.running()) {
                Instant end = running.end();
                if (end != null && !(end.isBefore(Fleets.NOW) ? Fleets.NOW : end).isAfter(from)) {
                    then = plus(then, running.takes(), 1);
                }
            }
            for (Capacity given : taken) {
                then = plus(then, given, -1);
            }
            assertThat(Placement.fits(head(decision, reservation).request().size(), then))
                    .as("%s in %s, %s", reservation, room, decision)
                    .isTrue();
        }
    }

    /** Those ahead of the head take room whatever the head expects: they were counted before it looked. */
    private static boolean stillRuns(Grant grant, Instant from, List<Request> queue, Request head) {
        return queue.indexOf(grant.request()) < queue.indexOf(head)
                || grant.request().expected() == null
                || Fleets.NOW.plus(grant.request().expected()).isAfter(from);
    }

    private static Waiting head(Decision decision, Reservation reservation) {
        return decision.waiting().stream()
                .filter(waiting -> waiting.request().job().equals(reservation.job()))
                .findFirst()
                .orElseThrow();
    }

    private static List<VmSize> given(Room room, List<Grant> grants) {
        return grants.stream()
                .filter(grant -> grant.room().hostId().equals(room.hostId()))
                .map(grant -> grant.request().size())
                .toList();
    }

    private static Capacity left(Room room, List<Grant> grants) {
        Capacity left = room.free();
        for (VmSize size : given(room, grants)) {
            left = plus(left, Placement.taken(size), -1);
        }
        return left;
    }

    private static Capacity plus(Capacity one, Capacity other, int times) {
        return new Capacity(
                one.milliCpus() + times * other.milliCpus(),
                one.memoryMib() + times * other.memoryMib(),
                one.diskMib() + times * other.diskMib());
    }

    private static int sum(List<VmSize> sizes, ToIntFunction<VmSize> of) {
        return sizes.stream().mapToInt(of).sum();
    }
}
