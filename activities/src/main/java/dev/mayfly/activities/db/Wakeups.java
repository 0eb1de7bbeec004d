package dev.mayfly.activities.db;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for a {@link Channel} on a connection of its own. One per background loop, used by one thread. While PostgreSQL
 * is away it only waits for the time given, so a loop never spins and never stops.
 */
public final class Wakeups implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Wakeups.class);
    /** The driver sees neither interrupts nor {@link #close} while it reads, so it reads in short turns. */
    private static final int TURN_MILLIS = 250;

    private final DatabaseConfig config;
    private final Channel channel;
    private volatile boolean closed;
    private @Nullable Connection connection;

    public Wakeups(DatabaseConfig config, Channel channel) {
        this.config = config;
        this.channel = channel;
    }

    /**
     * Returns when the channel was notified since the last call, or after {@code longest}; true if it was notified, and
     * at the first call on a new connection, since notifications before it were not heard.
     */
    public boolean await(Duration longest) throws InterruptedException {
        long deadline = System.nanoTime() + longest.toNanos();
        try {
            if (connection == null) {
                connection = listen();
                return true;
            }
            PGConnection pg = connection.unwrap(PGConnection.class);
            while (!closed) {
                long left = (deadline - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    return false;
                }
                PGNotification[] heard = pg.getNotifications((int) Math.min(left, TURN_MILLIS));
                if (heard != null && heard.length > 0) {
                    return true;
                }
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            }
        } catch (SQLException failure) {
            log.warn("can't listen on {}: {}", channel.pgName(), failure.getMessage());
            disconnect();
            Thread.sleep(Math.max(0, (deadline - System.nanoTime()) / 1_000_000));
        }
        return false;
    }

    private Connection listen() throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", config.user());
        properties.setProperty("password", config.password());
        properties.setProperty("connectTimeout", "5");
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("ApplicationName", "mayfly " + channel.pgName());
        Connection fresh = DriverManager.getConnection(config.url(), properties);
        try (Statement statement = fresh.createStatement()) {
            statement.execute("listen " + channel.pgName());
            return fresh;
        } catch (SQLException failure) {
            fresh.close();
            throw failure;
        }
    }

    private void disconnect() {
        Connection old = connection;
        connection = null;
        if (old != null) {
            try {
                old.close();
            } catch (SQLException failure) {
                log.debug("closing a broken connection", failure);
            }
        }
    }

    /** Ends a wait that is under way within a quarter of a second. */
    @Override
    public void close() {
        closed = true;
        disconnect();
    }
}
