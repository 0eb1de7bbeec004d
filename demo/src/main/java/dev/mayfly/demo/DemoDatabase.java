package dev.mayfly.demo;

import dev.mayfly.testkit.PostgresAddress;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The cluster's PostgreSQL: an embedded server of its own, or a database of its own on the
 * {@linkplain PostgresAddress#given server that was given}.
 */
public final class DemoDatabase implements AutoCloseable {

    private final Path data;
    private final boolean isGiven;
    private final PostgresAddress server;
    private final String name;
    private @Nullable EmbeddedPostgres embedded;

    private DemoDatabase(Path data, boolean isGiven, PostgresAddress server, String name) {
        this.data = data;
        this.isGiven = isGiven;
        this.server = server;
        this.name = name;
    }

    /** Not started yet; {@code name} is what a database on a given server is called. */
    public static DemoDatabase in(Path data, String name) {
        return PostgresAddress.given()
                .map(given -> new DemoDatabase(data, true, given, name))
                .orElseGet(() -> own(data));
    }

    /** An embedded server, not started yet. */
    static DemoDatabase own(Path data) {
        int port = Servers.freePort("127.0.0.1");
        PostgresAddress address = new PostgresAddress("localhost", port, "postgres", "postgres", "postgres");
        return new DemoDatabase(data, false, address, "postgres");
    }

    /** Starts or restarts the server; what was committed before is there. */
    public void start() {
        if (isGiven) {
            server.execute("create database " + name);
            return;
        }
        try {
            embedded = EmbeddedPostgres.builder()
                    .setPort(server.port())
                    .setDataDirectory(data.toFile())
                    .setCleanDataDirectory(false)
                    .setServerConfig("fsync", "on")
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException("PostgreSQL does not start", e);
        }
    }

    /** Stops the server as a fast shutdown does: connections are cut, what was committed stays. */
    void stop() {
        if (isGiven) {
            throw new IllegalStateException("the server that DATABASE_URL names is not ours to stop; unset it");
        }
        if (embedded != null) {
            try {
                embedded.close();
            } catch (IOException e) {
                throw new UncheckedIOException("PostgreSQL does not stop", e);
            }
            embedded = null;
        }
    }

    /** The server's main process; empty if it is not ours. */
    Optional<Long> pid() {
        return isGiven
                ? Optional.empty()
                : Servers.read(data.resolve("postmaster.pid"))
                        .lines()
                        .findFirst()
                        .map(Long::valueOf);
    }

    PostgresAddress server() {
        return server;
    }

    public String url() {
        return server.url(name);
    }

    public String user() {
        return server.user();
    }

    public String password() {
        return server.password();
    }

    public Connection connect() throws SQLException {
        return DriverManager.getConnection(url(), user(), password());
    }

    @Override
    public void close() {
        if (isGiven) {
            server.execute("drop database if exists " + name + " with (force)");
        } else {
            stop();
        }
    }
}
