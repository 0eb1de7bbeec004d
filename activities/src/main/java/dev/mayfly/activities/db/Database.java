package dev.mayfly.activities.db;

import org.jdbi.v3.core.Jdbi;

/**
 * The control plane's database: a connection pool and the schema, brought up to date at {@link #open}. Made once by the
 * process's wiring. Survives restarts of PostgreSQL: connections are made anew when asked for.
 */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
public final class Database implements AutoCloseable {

    private Database() {}

    /**
     * Connects and migrates the schema.
     *
     * @throws DatabaseException if PostgreSQL can't be reached, a migration fails, or the schema is newer than this
     *     program; the message names the cure
     */
    public static Database open(DatabaseConfig config) {
        throw new UnsupportedOperationException("soon: " + config);
    }

    public Jdbi jdbi() {
        throw new UnsupportedOperationException("soon");
    }

    /** Whether a connection answers, for readiness; waits for at most the pool's connection time-out. */
    public boolean isUp() {
        throw new UnsupportedOperationException("soon");
    }

    @Override
    public void close() {}
}
