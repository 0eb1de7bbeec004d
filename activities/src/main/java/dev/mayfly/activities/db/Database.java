package dev.mayfly.activities.db;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.exception.FlywayValidateException;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.postgres.PostgresPlugin;
import org.jdbi.v3.sqlobject.SqlObjectPlugin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control plane's database: a connection pool and the schema, brought up to date at {@link #open}. Made once by the
 * process's wiring. Survives restarts of PostgreSQL: connections are made anew when asked for.
 */
public final class Database implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Database.class);
    private static final int CONNECT_SECONDS = 5;

    /**
     * A statement that hangs or a lock that never comes ends by itself. So does a transaction whose process is frozen or
     * cut off, before others have waited long for its locks: between two statements of ours nothing takes time.
     */
    private static final String LIMITS =
            "set statement_timeout = '30s'; set lock_timeout = '20s'; set idle_in_transaction_session_timeout = '4s'";

    private final HikariDataSource pool;
    private final Jdbi jdbi;

    private Database(HikariDataSource pool) {
        this.pool = pool;
        this.jdbi = Jdbi.create(pool).installPlugin(new PostgresPlugin()).installPlugin(new SqlObjectPlugin());
    }

    /**
     * Connects and migrates the schema.
     *
     * @throws DatabaseException if PostgreSQL can't be reached, a migration fails, or the schema is newer than this
     *     program; the message names the cure
     */
    public static Database open(DatabaseConfig config) {
        HikariDataSource pool = connect(config);
        try {
            migrate(pool, config.url());
            return new Database(pool);
        } catch (RuntimeException failure) {
            pool.close();
            throw failure;
        }
    }

    private static HikariDataSource connect(DatabaseConfig config) {
        HikariConfig hikari = new HikariConfig();
        hikari.setPoolName("mayfly");
        hikari.setJdbcUrl(config.url());
        hikari.setUsername(config.user());
        hikari.setPassword(config.password());
        hikari.setMaximumPoolSize(config.poolSize());
        hikari.setConnectionTimeout(CONNECT_SECONDS * 1000L);
        hikari.setConnectionInitSql(LIMITS);
        hikari.addDataSourceProperty("connectTimeout", CONNECT_SECONDS);
        hikari.addDataSourceProperty("socketTimeout", 60);
        hikari.addDataSourceProperty("tcpKeepAlive", true);
        hikari.addDataSourceProperty("ApplicationName", "mayfly");
        try {
            return new HikariDataSource(hikari);
        } catch (RuntimeException failure) {
            throw new DatabaseException(
                    "PostgreSQL at %s can't be used by user %s: %s. Check that it runs, and the url, user and password"
                            .formatted(config.url(), config.user(), rootMessage(failure)),
                    failure);
        }
    }

    private static void migrate(DataSource source, String url) {
        Flyway flyway = Flyway.configure()
                .dataSource(source)
                .locations("classpath:db/migration")
                .cleanDisabled(true)
                .load();
        try {
            refuseNewer(flyway, url);
            int applied = flyway.migrate().migrationsExecuted;
            log.info("database {}: {} migrations applied", url, applied);
        } catch (FlywayValidateException failure) {
            throw new DatabaseException(
                    "the schema of %s is not the one that this program made: %s. Nothing was changed; use the program that fits, or restore the database"
                            .formatted(url, failure.getMessage()),
                    failure);
        } catch (FlywayException failure) {
            throw new DatabaseException(
                    "the schema of %s could not be brought up to date and was left as it was: %s. Mend the cause and start again"
                            .formatted(url, rootMessage(failure)),
                    failure);
        }
    }

    /** Flyway would only warn; an old program on a new schema would do damage. */
    private static void refuseNewer(Flyway flyway, String url) {
        var newer = Arrays.stream(flyway.info().applied())
                .filter(migration -> migration.getState().isApplied()
                        && !migration.getState().isResolved())
                .map(MigrationInfo::getScript)
                .toList();
        if (!newer.isEmpty()) {
            throw new DatabaseException(
                    "the schema of %s is newer than this program: it has %s. Start the newer program"
                            .formatted(url, newer),
                    null);
        }
    }

    public Jdbi jdbi() {
        return jdbi;
    }

    /** Whether a connection answers, for readiness; waits for at most the pool's connection time-out. */
    public boolean isUp() {
        try (Connection connection = pool.getConnection()) {
            return connection.isValid(CONNECT_SECONDS);
        } catch (SQLException failure) {
            log.debug("database does not answer", failure);
            return false;
        }
    }

    @Override
    public void close() {
        pool.close();
    }

    private static String rootMessage(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage()).strip();
    }
}
