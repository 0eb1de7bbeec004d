package dev.mayfly.demo.bench;

import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.VmSize;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * How many slots a second are granted through PostgreSQL, messages to the jobs' workflows with them. The floor takes as
 * many rows, as many at once, in a table without indexes, constraints or triggers beside its key, and writes as many
 * messages to the outbox.
 */
final class DispatchFigures {

    private static final VmSize SIZE = VmSize.of(2000, 4096, 8192);
    private static final int PROJECTS = 50;
    /** As many grants before, not counted: a control plane has run for a while. */
    private static final int WARM_UP = 2000;

    private static final double LEAST_A_SECOND = 5000;
    private static final String FLOOR = """
            with taken as (
                update floor set waiting = false, host = number % 1000
                where number >= :from and number < :until returning number)
            insert into outbox (workflow_id, signal, payload, created_at, due_at)
            select 'floor-' || number, 'HOLDING', '{}', now(), now() from taken""";

    private final int hosts;
    private final int jobs;
    private final Consumer<String> progress;

    DispatchFigures(int hosts, int jobs, Consumer<String> progress) {
        this.hosts = hosts;
        this.jobs = jobs;
        this.progress = progress;
    }

    record Result(Measurement passes, Goal goal, Goal floor) {}

    Result run() {
        try (QueueDatabase database = new QueueDatabase(Clock.systemUTC())) {
            progress.accept("%d jobs are queued".formatted(WARM_UP + jobs));
            database.queue(
                    WARM_UP + jobs, i -> QueueDatabase.job("acme/app-" + i % PROJECTS, i % PROJECTS, i + 1L, SIZE));
            int each = (WARM_UP + jobs + hosts - 1) / hosts;
            Capacity offered =
                    new Capacity(SIZE.milliCpus() * each, SIZE.hostMemoryMib() * each, SIZE.diskMib() * each);
            for (int i = 0; i < hosts; i++) {
                database.lease("host-%04d".formatted(i), 0, offered);
            }
            database.jdbi().useHandle(handle -> {
                handle.execute("create table floor (number integer primary key, waiting boolean, host integer)");
                handle.execute("insert into floor select n, true, null from generate_series(1, ?) as n", jobs);
                // As autovacuum would have by now; of slots it knows nothing on an installation's first day.
                handle.execute("analyze job, queue, host, floor");
            });
            int warm = 0;
            while (warm < WARM_UP) {
                warm += database.capacity.dispatch();
            }
            int counted = WARM_UP + jobs - warm;
            progress.accept("%d jobs are granted slots on %d hosts".formatted(counted, hosts));
            List<Duration> passes = new ArrayList<>();
            long begin = System.nanoTime();
            int granted = 0;
            int batch = 0;
            while (granted < counted) {
                long one = System.nanoTime();
                int now = database.capacity.dispatch();
                passes.add(Duration.ofNanos(System.nanoTime() - one));
                if (now == 0) {
                    throw new IllegalStateException(
                            "%d of %d jobs were granted, and then no more".formatted(granted, counted));
                }
                granted += now;
                batch = Math.max(batch, now);
            }
            double aSecond = granted / ((System.nanoTime() - begin) / 1e9);
            List<Duration> floors = new ArrayList<>();
            begin = System.nanoTime();
            for (int from = 1; from <= jobs; from += batch) {
                int first = from;
                int past = from + batch;
                long one = System.nanoTime();
                database.jdbi()
                        .useTransaction(handle -> handle.createUpdate(FLOOR)
                                .bind("from", first)
                                .bind("until", past)
                                .execute());
                floors.add(Duration.ofNanos(System.nanoTime() - one));
            }
            double floor = jobs / ((System.nanoTime() - begin) / 1e9);
            return new Result(
                    new Measurement(
                            "a pass of up to %d grants, %d hosts, %d queued at first".formatted(batch, hosts, jobs),
                            "the caller's clock",
                            Distribution.of(passes),
                            "as many rows updated and messages written, with no rules",
                            Distribution.of(floors)),
                    Goal.atLeast("grants a second", aSecond, LEAST_A_SECOND, "/s"),
                    Goal.atLeast("    floor: rows and messages a second", floor, 0, "/s"));
        }
    }
}
