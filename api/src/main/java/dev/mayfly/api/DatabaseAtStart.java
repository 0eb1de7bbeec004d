package dev.mayfly.api;

import dev.mayfly.activities.db.Database;
import dev.mayfly.activities.db.DatabaseConfig;
import dev.mayfly.activities.db.DatabaseException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the database, without which nothing can be promised. Waits for one that is still starting, saying so, and then
 * gives up, so that whoever supervises this process sees it; what waiting can't cure ends the process at once.
 */
final class DatabaseAtStart {

    private static final Logger LOG = LoggerFactory.getLogger(DatabaseAtStart.class);
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(2);
    /** SQL states: no connection, the server starts or stops, it has no connection left. */
    private static final List<String> PASSING = List.of("08", "57P", "53");

    private DatabaseAtStart() {}

    /** @throws DatabaseException if it can't be opened; the message names the cure */
    static Database open(DatabaseConfig config, Duration patience) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            try {
                return Database.open(config);
            } catch (DatabaseException e) {
                if (!mayPass(e) || System.nanoTime() + LOOK_AGAIN.toNanos() > end) {
                    throw e;
                }
                LOG.warn("waiting for PostgreSQL: {}", e.getMessage());
                TimeUnit.NANOSECONDS.sleep(LOOK_AGAIN.toNanos());
            }
        }
    }

    private static boolean mayPass(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql && sql.getSQLState() != null) {
                return PASSING.stream().anyMatch(sql.getSQLState()::startsWith);
            }
        }
        return false;
    }
}
