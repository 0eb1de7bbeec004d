package dev.mayfly.activities.db;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for a {@link Channel} on a connection of its own. One per background loop, used by one thread. While PostgreSQL
 * is away it tries to connect again about once a second, so a loop never spins and never stops.
 */
public final class Wakeups implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Wakeups.class);
    /** The driver sees neither interrupts nor {@link #close} while it reads, so it reads in short turns. */
    private static final int TURN_MILLIS = 250;

    private static final Duration BETWEEN_CONNECTS = Duration.ofSeconds(1);

    private final DatabaseConfig config;
    private final Channel channel;
    private final CountDownLatch closed = new CountDownLatch(1);
    private @Nullable Connection connection;
    private boolean isDeaf;

    public Wakeups(DatabaseConfig config, Channel channel) {
        this.config = config;
        this.channel = channel;
    }

    /**
     * Returns when the channel was notified since the last call, or after {@code longest}; true if it was notified, and
     * at the first call on a new connection, since notifications before it were not heard. False at once when closed.
     */
    public boolean await(Duration longest) throws InterruptedException {
        long deadline = System.nanoTime() + longest.toNanos();
        while (closed.getCount() > 0 && deadline - System.nanoTime() > 0) {
            try {
                if (turn(deadline)) {
                    return true;
                }
            } catch (SQLException failure) {
                deaf(failure);
                boolean unused = closed.await(
                        Math.min(BETWEEN_CONNECTS.toNanos(), deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
        return false;
    }

    private synchronized boolean turn(long deadline) throws SQLException {
        if (closed.getCount() == 0) {
            return false;
        }
        if (connection == null) {
            connection = listen();
            isDeaf = false;
            return true;
        }
        long left = (deadline - System.nanoTime()) / 1_000_000;
        int millis = (int) Math.max(1, Math.min(left, TURN_MILLIS)); // 0 would mean for ever
        PGNotification[] heard = connection.unwrap(PGConnection.class).getNotifications(millis);
        return heard != null && heard.length > 0;
    }

    /** Said once for each outage. */
    private void deaf(SQLException failure) {
        if (!isDeaf) {
            log.warn(
                    "can't listen on {}, trying again until PostgreSQL is back: {}",
                    channel.pgName(),
                    failure.getMessage());
        }
        isDeaf = true;
        disconnect();
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

    private synchronized void disconnect() {
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

    /** Ends a wait that is under way within a quarter of a second, or with the attempt to connect that it is in. */
    @Override
    public void close() {
        closed.countDown();
        disconnect();
    }
}
