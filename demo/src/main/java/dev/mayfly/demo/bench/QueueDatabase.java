package dev.mayfly.demo.bench;

import dev.mayfly.activities.capacity.Hosts;
import dev.mayfly.activities.capacity.LeaseTimes;
import dev.mayfly.activities.capacity.PostgresCapacity;
import dev.mayfly.activities.db.Database;
import dev.mayfly.activities.db.DatabaseConfig;
import dev.mayfly.activities.installation.Installation;
import dev.mayfly.activities.outbox.Outbox;
import dev.mayfly.activities.placement.Order;
import dev.mayfly.activities.placement.Rules;
import dev.mayfly.activities.seal.Sealer;
import dev.mayfly.demo.DemoDatabase;
import dev.mayfly.demo.Servers;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.VmSize;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jdbi.v3.core.Jdbi;

/** The control plane's transactions on a PostgreSQL of its own, which writes to the disk as in production. */
final class QueueDatabase implements AutoCloseable {

    private static final int AT_ONCE = 4;

    private final Path work = Servers.temporaryFolder("mayfly-bench-");
    private final DemoDatabase server;
    private final Database database;
    private final Hosts hosts;
    final PostgresCapacity capacity;

    QueueDatabase(Clock clock) {
        server = DemoDatabase.in(work.resolve("database"), "mayfly_bench");
        server.start();
        database = Database.open(new DatabaseConfig(server.url(), server.user(), server.password(), AT_ONCE + 1));
        new Installation(database.jdbi());
        Outbox outbox = new Outbox(database.jdbi(), clock);
        hosts = new Hosts(database.jdbi(), clock, outbox, LeaseTimes.defaults(), null);
        Rules usual = Rules.standard();
        Rules rules = new Rules(
                usual.spread(),
                usual.cpuOvercommit(),
                usual.passesBeforeReserve(),
                usual.smallest(),
                Integer.MAX_VALUE, // no VM starts here, so none gets its job
                usual.limits());
        capacity = new PostgresCapacity(
                database.jdbi(), clock, outbox, new Sealer("bench", new byte[32]), rules, Order.standard());
    }

    Jdbi jdbi() {
        return database.jdbi();
    }

    /** Registers a host, or tells its new capacity. */
    void lease(String host, long epoch, Capacity offered) {
        hosts.lease(new LeaseRequest(
                host,
                "bench",
                offered,
                Arch.X86_64,
                "simulated",
                epoch,
                List.of(),
                null,
                null,
                null,
                null,
                null,
                null));
    }

    static CiJob job(String project, long projectId, long id, VmSize size) {
        return new CiJob(
                new JobKey("gl", projectId, id),
                project,
                "test",
                "test",
                "main",
                "a1b2c3",
                id,
                "https://gitlab.test/jobs/" + id,
                "ada",
                List.of("actuated"),
                size,
                Executor.DOCKER,
                List.of());
    }

    /** Queues them, several at once as workflows do. */
    void queue(int count, IntFunction<CiJob> job) {
        ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
        try {
            CompletableFuture.allOf(IntStream.range(0, count)
                            .mapToObj(i -> CompletableFuture.runAsync(() -> capacity.hold(job.apply(i)), threads))
                            .toArray(CompletableFuture[]::new))
                    .join();
        } finally {
            threads.shutdownNow();
        }
    }

    @Override
    public void close() {
        database.close();
        server.close();
        Servers.deleteTree(work);
    }
}
