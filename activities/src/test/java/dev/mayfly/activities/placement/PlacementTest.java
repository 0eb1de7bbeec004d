package dev.mayfly.activities.placement;

import static dev.mayfly.activities.placement.Fleets.NOW;
import static dev.mayfly.activities.placement.Fleets.capacity;
import static dev.mayfly.activities.placement.Fleets.even;
import static dev.mayfly.activities.placement.Fleets.request;
import static dev.mayfly.activities.placement.Fleets.room;
import static dev.mayfly.activities.placement.Fleets.running;
import static dev.mayfly.activities.placement.Fleets.size;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.activities.placement.Decision.Reservation;
import dev.mayfly.activities.placement.Decision.Waiting;
import dev.mayfly.activities.placement.Reason.Resource;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.VmSize;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What placement does, one case each; what holds for all is in {@link PlacementPropertyTest}. */
class PlacementTest {

    private static final Rules RULES = new Rules(false, 1, 2, size(1, 1, 1), 200, List.of());

    private static Decision decide(List<Room> rooms, Request... queue) {
        return Placement.place(rooms, List.of(queue), List.of(), RULES, NOW);
    }

    private static VmSize arm(int units) {
        VmSize same = size(units, units, units);
        return new VmSize(Arch.ARM64, same.milliCpus(), same.memoryMib(), same.diskMib());
    }

    /** Each as {@code job@host}. */
    private static List<String> grants(Decision decision) {
        return decision.grants().stream()
                .map(grant -> grant.request().job() + "@" + grant.room().hostId())
                .toList();
    }

    private static List<Reason> reasons(Decision decision) {
        return decision.waiting().stream().map(Waiting::reason).toList();
    }

    @Test
    void aJobGoesToTheHostThatIsFullestWithIt() {
        assertThat(grants(decide(List.of(room("a", 8, 8), room("b", 8, 3), room("c", 8, 5)), request("j", 2))))
                .containsExactly("j@b");
    }

    @Test
    void ofEquallyFullHostsItGoesToTheOneWhoseRestIsMostEven() {
        Room uneven = new Room("a", 1, true, Arch.X86_64, Set.of(), even(8), capacity(7, 3, 5), List.of());
        Room even = new Room("b", 1, true, Arch.X86_64, Set.of(), even(8), even(5), List.of());

        assertThat(grants(decide(List.of(uneven, even), request("j", 2)))).containsExactly("j@b");
    }

    @Test
    void spreadTakesTheEmptiestInstead() {
        Rules spread = new Rules(true, 1, 2, size(1, 1, 1), 200, List.of());

        assertThat(grants(Placement.place(
                        List.of(room("a", 8, 3), room("b", 8, 8), room("c", 8, 8)),
                        List.of(request("i", 2), request("j", 2)),
                        List.of(),
                        spread,
                        NOW)))
                .containsExactly("i@b", "j@c");
    }

    @Test
    void overcommittedCpusAreUsedButNoJobGetsMoreThanTheHostHas() {
        Room twice = new Room("a", 1, true, Arch.X86_64, Set.of(), capacity(4, 16, 16), capacity(8, 16, 16), List.of());
        Decision decision = decide(
                List.of(twice),
                new Request("wide", "gl", "acme/app", size(6, 1, 1), Set.of(), 0, null),
                request("i", 4),
                request("j", 4));

        assertThat(grants(decision)).containsExactly("i@a", "j@a");
        assertThat(reasons(decision)).containsExactly(new Reason.NoHostLargeEnough(capacity(4, 16, 16)));
    }

    @Test
    void aJobThatNoHostCouldEverRunHoldsBackNobody() {
        Decision decision = decide(List.of(room("a", 4, 2)), request("huge", 9), request("small", 2));

        assertThat(grants(decision)).containsExactly("small@a");
        assertThat(decision.reservations()).isEmpty();
    }

    @Test
    void reasonsNameWhatIsMissing() {
        Room gpu = new Room("g", 1, false, Arch.X86_64, Set.of("gpu"), even(4), even(4), List.of());
        Decision decision = decide(
                List.of(room("a", 4, 1), gpu),
                new Request("arm", "gl", "acme/app", arm(1), Set.of(), 0, null),
                new Request("tpu", "gl", "acme/app", size(1, 1, 1), Set.of("gpu", "tpu"), 0, null),
                new Request("gpu", "gl", "acme/app", size(1, 1, 1), Set.of("gpu"), 0, null),
                request("huge", 5),
                request("large", 4));

        assertThat(reasons(decision))
                .containsExactly(
                        new Reason.NoHostOfArch(Arch.ARM64),
                        new Reason.NoHostWithLabels(Set.of("gpu", "tpu")),
                        new Reason.NoHostReady(1),
                        new Reason.NoHostLargeEnough(even(4)),
                        new Reason.NoRoom(2));
        assertThat(decision.waiting()).extracting(Waiting::ahead).containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void aLimitOfAGroupCountsWhatAllItsProjectsUse() {
        Limit limit = new Limit("gl", "acme", 3, Integer.MAX_VALUE, Integer.MAX_VALUE);
        Rules limited = new Rules(false, 1, 2, size(1, 1, 1), 200, List.of(limit));
        List<Usage> usage = List.of(
                new Usage("gl", "acme/web", 2, 4000, 4096),
                new Usage("gl", "acmeother/web", 5, 4000, 4096),
                new Usage("other", "acme/web", 5, 4000, 4096));
        Decision decision = Placement.place(
                List.of(room("a", 8, 8)), List.of(request("i", 1), request("j", 1)), usage, limited, NOW);

        assertThat(grants(decision)).containsExactly("i@a");
        assertThat(reasons(decision)).containsExactly(new Reason.AtLimit(limit, Resource.JOBS, 3));
        assertThat(decision.reservations()).as("it waits for no host").isEmpty();
    }

    @Test
    void smallJobsPassALargeOneUntilTheyHaveDoneSoTooOften() {
        List<Room> half = List.of(room("a", 4, 3));
        Decision first = decide(half, request("large", 4), request("i", 1), request("j", 1), request("k", 1));

        assertThat(grants(first)).containsExactly("i@a", "j@a");
        assertThat(first.passed()).isEqualTo(Map.of("large", 2));
        assertThat(first.reservations()).containsExactly(new Reservation("large", "a", null));
        assertThat(reasons(first)).containsExactly(new Reason.NoRoom(1), new Reason.ReservedFor("large"));

        Decision next = decide(half, request("large", 4, 2, null), request("k", 1));
        assertThat(grants(next)).isEmpty();
    }

    @Test
    void theHostThatIsClosedIsTheOneThatLacksLeast() {
        Decision decision = decide(
                List.of(room("a", 8, 2), room("b", 8, 5), room("c", 8, 1)),
                request("large", 8, 2, null),
                request("i", 2));

        assertThat(decision.reservations()).containsExactly(new Reservation("large", "b", null));
        assertThat(grants(decision)).containsExactly("i@a");
    }

    @Test
    void anotherHostIsClosedEachTimeThatItWasPassedAsOftenForEachHostAgain() {
        List<Room> two = List.of(room("a", 8, 4), room("b", 8, 2));

        assertThat(decide(two, request("large", 8, 5, null)).reservations())
                .containsExactly(new Reservation("large", "a", null));
        assertThat(decide(two, request("large", 8, 6, null)).reservations())
                .containsExactly(new Reservation("large", "a", null), new Reservation("large", "b", null));
    }

    @Test
    void whoWaitsForTheSameHostsAsAHeadIsNone() {
        Decision decision = decide(
                List.of(room("a", 8, 2), room("b", 8, 1)),
                request("large", 8, 2, null),
                request("next", 8, 2, null),
                request("i", 1));

        assertThat(decision.reservations()).containsExactly(new Reservation("large", "a", null));
        assertThat(grants(decision)).containsExactly("i@b");
        assertThat(decision.passed()).isEqualTo(Map.of("large", 3));
    }

    @Test
    void hostsThatCouldNotRunTheHeadAreNotHeldBackByIt() {
        Decision decision = decide(
                List.of(room("a", 8, 1), room("b", 4, 4)),
                request("large", 8, 99, null),
                request("i", 1),
                request("j", 1));

        assertThat(grants(decision)).containsExactly("i@b", "j@b");
        assertThat(decision.passed()).isEmpty();
        assertThat(decision.grants()).allMatch(Decision.Grant::inOrder);
    }

    @Test
    void aSecondHeadIsProtectedWhereTheFirstDoesNotWait() {
        Room arm = new Room("arm", 1, true, Arch.ARM64, Set.of(), even(8), even(4), List.of());
        Decision decision = decide(
                List.of(arm, room("x86", 8, 4)),
                new Request("one", "gl", "acme/app", arm(8), Set.of(), 2, null),
                request("other", 8, 2, null),
                request("i", 1));

        assertThat(grants(decision)).isEmpty();
        assertThat(decision.reservations())
                .containsExactly(new Reservation("one", "arm", null), new Reservation("other", "x86", null));
    }

    @Test
    void whoEndsBeforeTheHeadCanStartPassesIt() {
        Room busy = room("a", 4, 1, running(3, 10));
        Decision decision = decide(
                List.of(busy),
                request("large", 4),
                request("long", 1, 0, 11),
                request("unknown", 1),
                request("short", 1, 0, 10));

        assertThat(grants(decision)).containsExactly("short@a");
        assertThat(decision.reservations())
                .containsExactly(new Reservation("large", "a", NOW.plus(Duration.ofMinutes(10))));
    }

    @Test
    void whoFitsBesideTheHeadPassesItHoweverLongItTakes() {
        Room busy = room("a", 5, 2, running(3, 10));
        Decision decision = decide(List.of(busy), request("large", 4), request("i", 1), request("j", 1));

        assertThat(grants(decision)).containsExactly("i@a");
        assertThat(reasons(decision)).containsExactly(new Reason.NoRoom(1), new Reason.ReservedFor("large"));
    }

    @Test
    void expectationsThatFailedAgainAndAgainAreNotTrustedForEver() {
        Room overdue = room("a", 4, 1, running(3, 60));

        assertThat(grants(decide(List.of(overdue), request("large", 4, 1, null), request("short", 1, 0, 5))))
                .containsExactly("short@a");
        assertThat(grants(decide(List.of(overdue), request("large", 4, 2, null), request("short", 1, 0, 5))))
                .isEmpty();
    }
}
