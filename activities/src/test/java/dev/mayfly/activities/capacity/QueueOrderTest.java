package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.Fleet.LARGE;
import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mayfly.activities.placement.Limit;
import dev.mayfly.activities.placement.Order;
import dev.mayfly.activities.placement.Order.Priority;
import dev.mayfly.activities.placement.Order.Weight;
import dev.mayfly.activities.placement.Rules;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import dev.mayfly.workflows.job.VmSize;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The queue's order as PostgreSQL keeps it: who is granted next. */
@Timeout(120)
class QueueOrderTest extends WithFleet {

    private static final int NONE = Integer.MAX_VALUE;
    private static final int NEVER = 1_000_000;

    private long number;

    private CiJob queue(PostgresCapacity capacity, String project, String ref, VmSize size) {
        CiJob job = made(project, ref, size);
        assertThat(capacity.hold(job)).as("no room for %s yet", job).isNull();
        return job;
    }

    private CiJob made(String project, String ref, VmSize size) {
        number++;
        return new CiJob(
                new JobKey("gl", Math.abs((long) project.hashCode()), number),
                project,
                "test",
                "test",
                ref,
                "a1b2c3",
                700,
                "https://gitlab.test/jobs/" + number,
                "ada",
                List.of("actuated", "shell"),
                size,
                Executor.SHELL,
                List.of());
    }

    private List<CiJob> queue(PostgresCapacity capacity, int count, String project, String ref) {
        List<CiJob> jobs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            jobs.add(queue(capacity, project, ref, SMALL));
        }
        return jobs;
    }

    private static PostgresCapacity with(Order order, Limit... limits) {
        Rules rules = new Rules(false, 1, 10, VmSize.of(250, 256, 0), 200, List.of(limits));
        return new PostgresCapacity(fleet.database.jdbi(), fleet.clock, fleet.outbox, fleet.sealer, rules, order);
    }

    private static Order order(int promoteEvery, List<Priority> priorities, Weight... weights) {
        return new Order(promoteEvery, priorities, List.of(weights));
    }

    /** The next to be granted, given room for one more. */
    private @Nullable Long next(PostgresCapacity capacity) {
        long epoch = fleet.hosts.find("a").isPresent() ? 1 : 0;
        fleet.lease("a", epoch, fleet.slots.live().size() + 1);
        List<String> before = fleet.slots.live().stream().map(SlotView::slotId).toList();
        capacity.dispatch();
        return fleet.slots.live().stream()
                .filter(slot -> !before.contains(slot.slotId()))
                .map(slot -> Objects.requireNonNull(slot.holder()).jobId())
                .findFirst()
                .orElse(null);
    }

    private List<Long> next(PostgresCapacity capacity, int count) {
        List<Long> granted = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            granted.add(next(capacity));
        }
        return granted;
    }

    private static List<Long> ids(List<CiJob> jobs) {
        return jobs.stream().map(job -> job.key().jobId()).toList();
    }

    @Test
    void higherPriorityComesFirstWhateverArrivedBefore() {
        PostgresCapacity capacity = with(order(NEVER, List.of(new Priority("gl", "acme", "release/*", 5))));
        CiJob usual = queue(capacity, "acme/app", "main", SMALL);
        CiJob urgent = queue(capacity, "acme/app", "release/1", SMALL);
        CiJob elsewhere = queue(capacity, "other/app", "release/1", SMALL);

        assertThat(next(capacity, 3)).isEqualTo(ids(List.of(urgent, usual, elsewhere)));
    }

    @Test
    void projectsTakeTurnsHoweverManyJobsOneOfThemHas() {
        PostgresCapacity capacity = with(order(NEVER, List.of()));
        List<CiJob> flood = queue(capacity, 10, "acme/flood", "main");
        List<CiJob> few = queue(capacity, 2, "acme/few", "main");

        assertThat(next(capacity, 4)).isEqualTo(ids(List.of(flood.get(0), few.get(0), flood.get(1), few.get(1))));
    }

    @Test
    void jobsOfOneProjectThatArriveAtOnceStartOneAfterTheOther() throws Exception {
        PostgresCapacity capacity = with(order(NEVER, List.of()));
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<?>> holds = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                CiJob job = made("acme/flood", "main", SMALL);
                holds.add(threads.submit(() -> capacity.hold(job)));
            }
            for (Future<?> hold : holds) {
                hold.get();
            }
        } finally {
            threads.shutdownNow();
        }
        capacity.dispatch();

        assertThat(starts()).hasSize(40).doesNotHaveDuplicates();
    }

    /** Stated: what two projects were granted by their weights differs by a largest job each, and one grant in A more. */
    @Test
    void inTheLongRunEachProjectIsGrantedByItsWeight() {
        int promoteEvery = 20;
        PostgresCapacity capacity =
                with(order(promoteEvery, List.of(), new Weight("gl", "acme/two", 2), new Weight("gl", "acme/four", 4)));
        Map<Long, String> projects = new HashMap<>();
        for (String project : List.of("acme/one", "acme/two", "acme/four")) {
            queue(capacity, 130, project, "main")
                    .forEach(job -> projects.put(job.key().jobId(), project));
        }

        int grants = 140;
        Map<String, Integer> shares = new HashMap<>();
        for (Long job : next(capacity, grants)) {
            shares.merge(Objects.requireNonNull(projects.get(job)), 1, Integer::sum);
        }

        double error = 1 + grants / (double) promoteEvery;
        assertThat(share(shares, "acme/one")).isCloseTo(grants / 7.0, within(error));
        assertThat(share(shares, "acme/two")).isCloseTo(2 * grants / 7.0, within(error));
        assertThat(share(shares, "acme/four")).isCloseTo(4 * grants / 7.0, within(error));
    }

    private static double share(Map<String, Integer> shares, String project) {
        return Objects.requireNonNull(shares.get(project));
    }

    @Test
    void largeJobsCountForMore() {
        PostgresCapacity capacity = with(order(NEVER, List.of()));
        queue(capacity, "acme/large", "main", LARGE);
        queue(capacity, "acme/large", "main", LARGE);
        queue(capacity, 3, "acme/small", "main");

        fleet.lease("a", 0, 7);

        assertThat(capacity.dispatch()).isEqualTo(5);
        assertThat(starts()).containsExactly(0.0, 4.0, 0.0, 2.0, 4.0);
    }

    private static List<Double> starts() {
        return column("start");
    }

    private static List<Double> column(String column) {
        return fleet.database
                .jdbi()
                .withHandle(handle -> handle.createQuery("select " + column + " from queue order by place")
                        .mapTo(Double.class)
                        .list());
    }

    @Test
    void aProjectThatWasIdleHasSavedNothingUp() {
        PostgresCapacity capacity = with(order(NEVER, List.of()));
        List<CiJob> busy = queue(capacity, 8, "acme/busy", "main");
        next(capacity, 4);
        List<CiJob> idle = queue(capacity, 4, "acme/idle", "main");

        // At the virtual time of the last grant: once before the next of the other one, then in turn.
        assertThat(next(capacity, 5))
                .isEqualTo(ids(List.of(idle.get(0), busy.get(4), idle.get(1), busy.get(5), idle.get(2))));
    }

    @Test
    void cancelledJobsCostTheirProjectNothing() {
        PostgresCapacity capacity = with(order(NEVER, List.of()));
        queue(capacity, 20, "acme/undecided", "main").forEach(job -> capacity.leave(job.key()));
        List<CiJob> other = queue(capacity, 3, "acme/other", "main");
        CiJob again = queue(capacity, "acme/undecided", "main", SMALL);

        assertThat(next(capacity, 2)).isEqualTo(ids(List.of(other.get(0), again)));
    }

    @Test
    void everySoManyGrantsTheOneThatHasWaitedLongestIsPromoted() {
        PostgresCapacity capacity = with(order(3, List.of(new Priority("gl", "acme/urgent", "*", 1))));
        CiJob old = queue(capacity, "acme/usual", "main", SMALL);
        List<CiJob> urgent = queue(capacity, 12, "acme/urgent", "main");

        assertThat(next(capacity, 5))
                .isEqualTo(ids(List.of(urgent.get(0), urgent.get(1), urgent.get(2), old, urgent.get(3))));
    }

    /** A(w + 1) + B, here with passes of one grant. */
    @Test
    void nobodyWaitsForMoreGrantsThanTheBoundHoweverUrgentAllOthersAre() {
        int promoteEvery = 4;
        PostgresCapacity capacity = with(order(promoteEvery, List.of(new Priority("gl", "acme/urgent", "*", 1))));
        List<CiJob> usual = queue(capacity, 5, "acme/usual", "main");
        Map<Long, Integer> waited = new HashMap<>();
        for (int grants = 1; waited.size() < usual.size(); grants++) {
            queue(capacity, "acme/urgent", "main", SMALL);
            Long granted = next(capacity);
            if (ids(usual).contains(granted)) {
                waited.put(granted, grants - 1);
            }
            for (int older = 0; older < usual.size(); older++) {
                if (!waited.containsKey(usual.get(older).key().jobId())) {
                    assertThat(grants)
                            .as("grants, and the job with %d older ones waits", older)
                            .isLessThanOrEqualTo(promoteEvery * (older + 1) + 1 + older);
                }
            }
        }
    }

    @Test
    void aProjectAtItsLimitHidesNobodyHoweverLongItsQueueIs() {
        PostgresCapacity capacity = with(
                order(NEVER, List.of(new Priority("gl", "acme/limited", "*", 9))),
                new Limit("gl", "acme/limited", 1, NONE, NONE));
        List<CiJob> limited = queue(capacity, Dispatcher.BATCH + 30, "acme/limited", "main");
        CiJob other = queue(capacity, "acme/other", "main", SMALL);

        assertThat(next(capacity, 2)).isEqualTo(ids(List.of(limited.get(0), other)));
        assertThat(next(capacity)).as("the rest is at its limit").isNull();
        CiJob first = limited.get(0);
        capacity.leave(first.key());
        capacity.toDismantle(first.key()).forEach(slot -> capacity.release(first.key(), slot.slotId()));
        capacity.dispatch();
        assertThat(capacity.hold(limited.get(1)))
                .as("in the room that came free")
                .isNotNull();
    }

    @Test
    void howLongAJobWillTakeIsWhatMostOfItsLikeTook() {
        for (int minutes : List.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 60)) {
            took("acme/app", 1, Duration.ofMinutes(minutes));
        }
        took("acme/new", 2, Duration.ofMinutes(1));
        queue(fleet.capacity, "acme/app", "main", SMALL);
        queue(fleet.capacity, "acme/new", "main", SMALL);

        assertThat(column("coalesce(expected_millis / 60000, -1)")).containsExactly(9.0, -1.0);
    }

    @Test
    void whoIsExpectedToTakeLongerThanTheHeadMustWaitDoesNotPassIt() {
        PostgresCapacity capacity = with(order(NEVER, List.of()));
        took("acme/five", 3, Duration.ofMinutes(5));
        took("acme/nine", 3, Duration.ofMinutes(9));
        took("acme/three", 3, Duration.ofMinutes(3));
        fleet.host("a", 2);
        fleet.holds(made("acme/five", "main", SMALL));
        CiJob head = queue(capacity, "acme/large", "main", LARGE);
        CiJob longer = made("acme/nine", "main", SMALL);
        CiJob shorter = made("acme/three", "main", SMALL);

        assertThat(capacity.hold(longer)).as("%s waits for 5 minutes", head).isNull();
        assertThat(capacity.hold(shorter)).isNotNull();
    }

    private void took(String project, int times, Duration time) {
        for (int i = 0; i < times; i++) {
            CiJob done = made(project, "main", SMALL);
            fleet.jobs.upsertSeen(done, "success");
            fleet.capacity.recordPhase(done.key(), JobPhase.LAUNCHING, null, null);
            fleet.clock.pass(time);
            fleet.capacity.recordPhase(
                    done.key(), JobPhase.DONE, null, new JobOutcome(JobOutcome.Result.SUCCEEDED, null, "success"));
        }
    }
}
