package dev.mayfly.activities.capacity.exchange;

import dev.mayfly.activities.capacity.exchange.CrashingConnections.Crash;
import dev.mayfly.activities.capacity.exchange.ExchangePropertyTest.Run;
import dev.mayfly.activities.db.Database;
import dev.mayfly.activities.db.DatabaseConfig;
import dev.mayfly.activities.installation.Installation;
import dev.mayfly.testkit.PostgresExtension;
import dev.mayfly.workflows.job.CiJob;
import java.io.IOException;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.extension.Extensions;
import org.jdbi.v3.postgres.PostgresPlugin;
import org.jdbi.v3.sqlobject.SqlObjectPlugin;

/** A database of its own, in which one sequence after the other is played, each from an empty start. */
final class Side implements AutoCloseable {

    /** Five jobs may have one slot after another, in sixteen rounds each. */
    private static final int MOST_ROUNDS = 160;

    private final PostgresExtension postgres = new PostgresExtension();
    private final CrashingConnections connections;
    /** One for all runs: what it has learned by reflection is half of a run's time. */
    private final Jdbi jdbi;

    Side() throws SQLException {
        postgres.start();
        DatabaseConfig config = new DatabaseConfig(postgres.url(), postgres.user(), postgres.password(), 2);
        try (Database database = Database.open(config)) {
            new Installation(database.jdbi());
        }
        connections = new CrashingConnections(
                DriverManager.getConnection(postgres.url(), postgres.user(), postgres.password()));
        jdbi = Jdbi.create(connections).installPlugin(new PostgresPlugin()).installPlugin(new SqlObjectPlugin());
        jdbi.configure(Extensions.class, extensions -> extensions.register(new KeptExtensions()));
    }

    /** @throws AssertionError with the whole story if a rule is broken in it */
    void play(Run run) {
        connections.atNextCommit(Crash.NEVER);
        jdbi.useHandle(
                handle -> { // whatever asks for a handle within gets this one
                    for (String table : List.of("outbox", "holding", "queue", "slot", "ledger", "job", "host")) {
                        handle.execute("delete from " + table);
                    }
                    List<CiJob> jobs = new ArrayList<>();
                    for (int i = 0; i < run.kinds().size(); i++) {
                        jobs.add(run.kinds().get(i).job(10 + i));
                    }
                    World world = new World(new Plane(jdbi, connections), jobs, run.rooms(), run.twoPhase());
                    Story story = new Story(world, run.faults());
                    story.tell(run.choices());
                    story.bringToAnEnd(MOST_ROUNDS);
                });
    }

    @Override
    public void close() throws SQLException, IOException {
        connections.close();
        postgres.stop();
    }
}
