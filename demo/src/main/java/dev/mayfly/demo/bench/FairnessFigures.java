package dev.mayfly.demo.bench;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.VmSize;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.Consumer;

/**
 * How long small projects wait when one project has filled the fleet and queued thousands of jobs before them, beside how
 * long they wait on the same fleet alone. Time is played, the transactions are the real ones. A job of each small project
 * arrives at the same moment, so that they wait for each other even if they are alone.
 */
final class FairnessFigures {

    private static final VmSize SIZE = VmSize.of(2000, 4096, 8192);
    private static final int SLOTS = 20;
    private static final double MOST_TIMES = 2;
    /** Each with other lengths of jobs: in one play alone these decide half of the result. */
    private static final int PLAYS = 5;

    private final int flood;
    private final int small;
    private final Consumer<String> progress;

    FairnessFigures(int flood, int small, Consumer<String> progress) {
        this.flood = flood;
        this.small = small;
        this.progress = progress;
    }

    record Result(Measurement waits, Goal goal) {}

    private record Running(CiJob job, Holding slot, Instant end) {}

    /** Time as it is played. */
    private static final class PlayedClock extends Clock {

        private Instant now = Instant.parse("2026-01-01T00:00:00Z");

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            throw new UnsupportedOperationException("played time has no zones");
        }
    }

    Result run() {
        progress.accept("%d small projects alone, %d times".formatted(small, PLAYS));
        Distribution alone = waitsOfAllPlays(0);
        progress.accept("the same behind %d jobs of one project".formatted(flood));
        Distribution behind = waitsOfAllPlays(flood);
        return new Result(
                new Measurement(
                        "wait of a small project's job behind %d of one project".formatted(flood),
                        "played time",
                        behind,
                        "the same, alone",
                        alone),
                Goal.atMost("times longer than alone, p50", behind.p50() / alone.p50(), MOST_TIMES, "×"));
    }

    private Distribution waitsOfAllPlays(int ahead) {
        List<Duration> waits = new ArrayList<>();
        for (int play = 1; play <= PLAYS; play++) {
            waits.addAll(waits(ahead, play));
        }
        return Distribution.of(waits);
    }

    private List<Duration> waits(int ahead, int play) {
        PlayedClock clock = new PlayedClock();
        try (QueueDatabase database = new QueueDatabase(clock)) {
            database.lease(
                    "host-1",
                    0,
                    new Capacity(SIZE.milliCpus() * SLOTS, SIZE.hostMemoryMib() * SLOTS, SIZE.diskMib() * SLOTS));
            Map<String, CiJob> waiting = new HashMap<>();
            PriorityQueue<Running> running = new PriorityQueue<>(Comparator.comparing(Running::end));
            JobMix durations = new JobMix(play);
            for (int i = 0; i < ahead; i++) {
                queue(database, QueueDatabase.job("acme/flood", 1, i + 1L, SIZE), waiting);
            }
            begin(database, waiting, running, durations, clock);
            Instant arrived = clock.now;
            List<String> ours = new ArrayList<>();
            for (int i = 0; i < small; i++) {
                CiJob job = QueueDatabase.job("acme/small-" + i, 2L + i, 1_000_000L + i, SIZE);
                ours.add(job.key().workflowId());
                queue(database, job, waiting);
            }
            begin(database, waiting, running, durations, clock);
            List<Duration> waits = new ArrayList<>();
            int left = waited(ours, waiting, waits, arrived, clock.now);
            while (left > 0) {
                Running ended = running.remove();
                clock.now = ended.end();
                database.capacity.leave(ended.job().key());
                database.capacity.release(ended.job().key(), ended.slot().slotId());
                begin(database, waiting, running, durations, clock);
                left = waited(ours, waiting, waits, arrived, clock.now);
            }
            return waits;
        }
    }

    private static void queue(QueueDatabase database, CiJob job, Map<String, CiJob> waiting) {
        database.capacity.hold(job);
        waiting.put(job.key().workflowId(), job);
    }

    /** Starts what has been granted a slot. */
    private static void begin(
            QueueDatabase database,
            Map<String, CiJob> waiting,
            PriorityQueue<Running> running,
            JobMix durations,
            PlayedClock clock) {
        while (database.capacity.dispatch() > 0) {
            // to its end
        }
        for (String job : database.jdbi()
                .withHandle(handle -> handle.createQuery("select job_key from holding order by job_key")
                        .mapTo(String.class)
                        .list())) {
            CiJob granted = waiting.remove(job);
            if (granted != null) {
                Holding slot = database.capacity.hold(granted);
                if (slot == null) {
                    throw new IllegalStateException(job + " lost its slot");
                }
                running.add(new Running(granted, slot, clock.now.plus(durations.duration())));
            }
        }
    }

    /** Notes the waits of those that no longer wait; how many still do. */
    private static int waited(
            List<String> ours, Map<String, CiJob> waiting, List<Duration> waits, Instant arrived, Instant now) {
        ours.removeIf(job -> {
            if (waiting.containsKey(job)) {
                return false;
            }
            waits.add(Duration.between(arrived, now));
            return true;
        });
        return ours.size();
    }
}
