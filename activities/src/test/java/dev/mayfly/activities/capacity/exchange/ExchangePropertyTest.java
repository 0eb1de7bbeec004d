package dev.mayfly.activities.capacity.exchange;

import dev.mayfly.activities.capacity.Fleet;
import dev.mayfly.activities.db.Database;
import dev.mayfly.activities.db.DatabaseConfig;
import dev.mayfly.activities.installation.Installation;
import dev.mayfly.testkit.PostgresExtension;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.VmSize;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.RandomDistribution;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.postgres.PostgresPlugin;
import org.jdbi.v3.sqlobject.SqlObjectPlugin;
import org.jspecify.annotations.Nullable;

/**
 * Whatever is claimed, cancelled, lost, doubled, late or cut off, and in whatever order: no job runs twice or in a wrong
 * size, no VM serves two jobs, no VM is destroyed under a job, no host holds more than it has room for, and in the end
 * every job has ended and all that was made is gone. The same sequences in each run, so that a
 * build tells of its own change; more of them: {@code -Djqwik.tries.default=10000}.
 */
class ExchangePropertyTest {

    private static final int MOST_ROUNDS = 80;
    private static final PostgresExtension postgres = new PostgresExtension();
    private static @Nullable CrashingConnections connections;
    /** One for all runs: what it has learned by reflection is half of a run's time. */
    private static @Nullable Jdbi jdbi;

    /** Classes of jobs, by their tags. */
    enum Kind {
        SMALL_DOCKER,
        SMALL_SHELL,
        LARGE_DOCKER,
        LARGE_SHELL,
        /** None of its tags is ours; GitLab hands it to our runners all the same. */
        FOREIGN;

        private List<String> tags() {
            return switch (this) {
                case SMALL_DOCKER -> List.of("s");
                case SMALL_SHELL -> List.of("s", "shell");
                case LARGE_DOCKER -> List.of("l");
                case LARGE_SHELL -> List.of("l", "shell");
                case FOREIGN -> List.of("shell");
            };
        }

        private @Nullable VmSize size() {
            return switch (this) {
                case SMALL_DOCKER, SMALL_SHELL -> Fleet.SMALL;
                case LARGE_DOCKER, LARGE_SHELL -> Fleet.LARGE;
                case FOREIGN -> null;
            };
        }

        CiJob job(long id) {
            return Fleet.job(id, tags(), size(), tags().contains("shell") ? Executor.SHELL : Executor.DOCKER);
        }
    }

    /**
     * A run.
     *
     * @param rooms how many small VMs each host has room for
     * @param choices which of the possible steps is taken, each time
     */
    record Run(List<Kind> kinds, List<Integer> rooms, boolean twoPhase, int faults, List<Integer> choices) {}

    @BeforeContainer
    static void open() throws SQLException {
        postgres.start();
        DatabaseConfig config = new DatabaseConfig(postgres.url(), postgres.user(), postgres.password(), 2);
        try (Database database = Database.open(config)) {
            new Installation(database.jdbi());
        }
        connections = new CrashingConnections(
                DriverManager.getConnection(postgres.url(), postgres.user(), postgres.password()));
        jdbi = Jdbi.create(connections).installPlugin(new PostgresPlugin()).installPlugin(new SqlObjectPlugin());
    }

    @AfterContainer
    static void close() throws Exception {
        if (connections != null) {
            connections.close();
        }
        postgres.stop();
    }

    @Provide
    Arbitrary<Run> runs() {
        return Combinators.combine(
                        Arbitraries.of(Kind.class).list().ofMinSize(2).ofMaxSize(5),
                        Arbitraries.integers().between(2, 3).list().ofMinSize(1).ofMaxSize(2),
                        Arbitraries.of(true, false),
                        Arbitraries.integers().between(0, 8),
                        Arbitraries.integers()
                                .between(0, 9999)
                                .withDistribution(RandomDistribution.uniform())
                                .list()
                                .ofMaxSize(100)
                                .withSizeDistribution(RandomDistribution.uniform()))
                .as(Run::new);
    }

    @Property(edgeCases = EdgeCasesMode.NONE, seed = "8584873339510613974")
    void nothingIsEverRunTwiceLostOrLeft(@ForAll("runs") Run run) {
        CrashingConnections crashing = Objects.requireNonNull(connections);
        crashing.atNextCommit(CrashingConnections.Crash.NEVER);
        Jdbi database = Objects.requireNonNull(jdbi);
        database.useHandle(handle -> {
            for (String table : List.of("outbox", "holding", "queue", "slot", "ledger", "job", "host")) {
                handle.execute("delete from " + table);
            }
        });
        List<CiJob> jobs = new ArrayList<>();
        for (int i = 0; i < run.kinds().size(); i++) {
            jobs.add(run.kinds().get(i).job(10 + i));
        }
        World world = new World(new Plane(database, crashing), jobs, run.rooms(), run.twoPhase());
        Story story = new Story(world, run.faults());
        story.tell(run.choices());
        story.bringToAnEnd(MOST_ROUNDS);
    }
}
