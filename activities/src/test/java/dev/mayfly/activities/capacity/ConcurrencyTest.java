package dev.mayfly.activities.capacity;

import static dev.mayfly.activities.capacity.Fleet.LARGE;
import static dev.mayfly.activities.capacity.Fleet.SMALL;
import static dev.mayfly.activities.capacity.Fleet.job;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.activities.placement.Decision;
import dev.mayfly.activities.placement.Placement;
import dev.mayfly.activities.placement.Room;
import dev.mayfly.activities.placement.Rules;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.LongStream;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.JdbiException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many threads at the same tables at once, as workflows, agents and background loops of several control planes are. */
@Timeout(120)
class ConcurrencyTest extends WithFleet {

    private static final int THREADS = 12;
    private static final int JOBS_EACH = 20;

    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    @Test
    void jobsHostsAndClaimsAtOnceNeitherDeadlockNorOverfillNorLeaveAnything() throws Exception {
        fleet.host("a", 1);
        fleet.host("b", 4);
        fleet.host("c", 3);
        AtomicBoolean over = new AtomicBoolean();
        List<Future<?>> background = List.of(
                threads.submit(until(over, fleet.hosts::tick)),
                threads.submit(until(over, fleet.capacity::dispatch)),
                threads.submit(until(over, () -> fleet.lease("b", 1, 4))));
        List<Future<?>> lives = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            long first = 1000L * (i + 1);
            lives.add(threads.submit(() -> lives(first, new Random(first))));
        }

        try {
            for (Future<?> life : lives) {
                life.get();
            }
        } finally {
            over.set(true);
        }
        for (Future<?> loop : background) {
            loop.get();
        }

        assertThat(fleet.slots.live()).isEmpty();
        assertThat(fleet.hosts.list())
                .allSatisfy(host -> assertThat(host.used().milliCpus()).isZero());
    }

    /** Jobs in pairs that are claimed crosswise now and then, each to its end. */
    private void lives(long first, Random random) {
        for (long id = first; id < first + JOBS_EACH; id += 2) {
            CiJob one = job(id, random.nextBoolean() ? SMALL : LARGE);
            CiJob two = job(id + 1, one.size());
            Holding slotOfOne = fleet.capacity.hold(one);
            Holding slotOfTwo = fleet.capacity.hold(two);
            if (slotOfOne != null && random.nextInt(3) > 0) {
                fleet.claim(slotOfOne, two);
            }
            if (slotOfTwo != null && random.nextInt(3) > 0) {
                fleet.claim(slotOfTwo, one);
            }
            for (CiJob job : List.of(one, two)) {
                fleet.capacity.hold(job);
                fleet.capacity.leave(job.key());
                for (Holding left : fleet.capacity.toDismantle(job.key())) {
                    fleet.capacity.release(job.key(), left.slotId());
                }
            }
            // the first may have been given the second's former slot after it looked
            for (Holding left : fleet.capacity.toDismantle(one.key())) {
                fleet.capacity.release(one.key(), left.slotId());
            }
        }
    }

    private static Runnable until(AtomicBoolean over, Runnable step) {
        return () -> {
            while (!over.get()) {
                step.run();
            }
        };
    }

    @Test
    void jobsWaitInTheOrderOfTheirArrivalHoweverOftenTheyAsk() throws Exception {
        List<CiJob> jobs =
                LongStream.rangeClosed(1, 12).mapToObj(id -> job(id, SMALL)).toList();
        for (CiJob job : jobs) {
            assertThat(fleet.capacity.hold(job)).isNull();
        }
        List<CiJob> shuffled = new ArrayList<>(jobs);
        Collections.shuffle(shuffled, new Random(1));
        List<Future<?>> askingAgain = new ArrayList<>();
        shuffled.forEach(job -> askingAgain.add(threads.submit(() -> fleet.capacity.hold(job))));
        for (Future<?> again : askingAgain) {
            assertThat(again.get()).isNull();
        }

        List<Long> granted = new ArrayList<>();
        for (int room = 1; room <= jobs.size(); room++) {
            fleet.lease("a", room == 1 ? 0 : 1, room);
            fleet.capacity.dispatch();
            fleet.slots.live().stream()
                    .map(slot -> Objects.requireNonNull(slot.holder()).jobId())
                    .filter(job -> !granted.contains(job))
                    .forEach(granted::add);
        }

        assertThat(granted)
                .containsExactlyElementsOf(
                        jobs.stream().map(job -> job.key().jobId()).toList());
    }

    @Test
    void whoeverAsksWhileAnotherDispatchesIsQueuedAndNeverWaits() {
        fleet.host("a", 4);
        try (Handle other = fleet.database.jdbi().open()) {
            other.begin();
            other.execute("select pg_advisory_xact_lock(629359)");

            assertThat(fleet.capacity.hold(ten)).as("queued, not stuck").isNull();
            assertThat(fleet.slots.live()).isEmpty();
            other.rollback();
        }

        assertThat(fleet.capacity.dispatch()).isEqualTo(1);
        assertThat(fleet.signals()).singleElement().asString().startsWith("10 HOLDING");
    }

    @Test
    void aDispatcherThatFindsAnotherAtWorkWaitsForItInsteadOfMissingWhatWokeIt() throws Exception {
        fleet.host("a", 4);
        Future<Integer> pass;
        try (Handle other = fleet.database.jdbi().open()) {
            other.begin();
            other.execute("select pg_advisory_xact_lock(629359)");
            assertThat(fleet.capacity.hold(ten)).isNull();
            pass = threads.submit(fleet.capacity::dispatch);
            awaitWaiter(other, pass);
            other.rollback();
        }

        assertThat(pass.get()).isEqualTo(1);
    }

    @Test
    void aDispatcherWhoseProcessFreezesInItsBatchIsFollowedWithinFiveSeconds() {
        fleet.capacity.hold(ten);
        fleet.host("a", 4);
        try (Handle frozen = fleet.database.jdbi().open()) {
            frozen.begin();
            frozen.execute("select pg_advisory_xact_lock(629359)");
            frozen.execute("update queue set waiting = false");
            long begin = System.nanoTime();

            assertThat(fleet.capacity.dispatch())
                    .as("what the frozen one did is undone")
                    .isEqualTo(1);

            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(5));
            assertThatThrownBy(frozen::commit)
                    .as("it finds out when it goes on")
                    .isInstanceOf(JdbiException.class);
        } catch (JdbiException closing) {
            // the server closed its connection
        }
    }

    @Test
    void nothingIsGrantedOnAHostThatWasDrainedSinceItWasLookedAt() throws Exception {
        fleet.capacity.hold(ten);
        fleet.host("a", 4);
        Rules rules = Rules.standard();
        fleet.database.jdbi().useTransaction(pass -> {
            Queue queue = new Queue(pass);
            List<Room> rooms = queue.rooms(rules.cpuOvercommit(), fleet.clock.instant());
            QueuedJob waiting = queue.page(null, List.of(), 1).get(0);
            Decision decision =
                    Placement.place(rooms, List.of(waiting.request()), List.of(), rules, fleet.clock.instant());
            assertThat(decision.grants()).hasSize(1);
            HostOrders orders = new HostOrders(fleet.database.jdbi(), fleet.clock, fleet.outbox);
            assertThat(threads.submit(() -> orders.drain("a")).get())
                    .as("on a connection of its own")
                    .isTrue();

            assertThatThrownBy(() -> new GrantedSlots(pass, fleet.clock.instant())
                            .write(decision, Map.of(ten.key().workflowId(), waiting), rules.cpuOvercommit()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("a host changed");
            pass.rollback();
        });

        assertThat(fleet.slots.live()).isEmpty();
        assertThat(fleet.capacity.dispatch()).isZero();
    }

    private static void awaitWaiter(Handle handle, Future<?> pass) {
        String waiters = "select count(*) from pg_locks where locktype = 'advisory' and not granted";
        while (!pass.isDone()
                && handle.createQuery(waiters).mapTo(Integer.class).one() == 0) {
            Thread.onSpinWait();
        }
    }

    @Test
    void manyDispatchersGrantEachJobOneSlot() throws Exception {
        for (long id = 1; id <= 10; id++) {
            fleet.capacity.hold(job(id, SMALL));
        }
        fleet.host("a", 6);
        fleet.host("b", 3);
        List<Future<Integer>> passes = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            passes.add(threads.submit(fleet.capacity::dispatch));
        }
        int granted = 0;
        for (Future<Integer> pass : passes) {
            granted += pass.get();
        }

        assertThat(granted).isEqualTo(9);
        assertThat(fleet.slots.live())
                .extracting(slot -> Objects.requireNonNull(slot.holder()).jobId())
                .containsExactlyInAnyOrder(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
    }
}
