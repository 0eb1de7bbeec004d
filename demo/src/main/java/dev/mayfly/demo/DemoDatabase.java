package dev.mayfly.demo;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/**
 * The cluster's PostgreSQL: an embedded server of its own, or a database of its own on the server that the environment's
 * {@code DATABASE_URL} names ({@code postgresql://user:password@host:port/database}, a role that may create databases).
 */
public final class DemoDatabase implements AutoCloseable {

    private final Path data;
    private final @Nullable URI given;
    private final String name;
    private final int port;
    private @Nullable EmbeddedPostgres embedded;

    private DemoDatabase(Path data, @Nullable URI given, String name) {
        this.data = data;
        this.given = given;
        this.name = given == null ? "postgres" : name;
        this.port = given == null ? Servers.freePort("127.0.0.1") : given.getPort() < 0 ? 5432 : given.getPort();
    }

    /** Not started yet; {@code name} is what a database on a given server is called. */
    static DemoDatabase in(Path data, String name) {
        String url = System.getenv("DATABASE_URL");
        boolean isGiven = url != null && !url.isBlank();
        return new DemoDatabase(data, isGiven ? URI.create(url.replaceFirst("^jdbc:", "")) : null, name);
    }

    /** Starts or restarts the server; what was committed before is there. */
    void start() {
        if (given != null) {
            execute(given, "create database " + name);
            return;
        }
        try {
            embedded = EmbeddedPostgres.builder()
                    .setPort(port)
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
        if (given != null) {
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

    String url() {
        return "jdbc:postgresql://%s:%d/%s".formatted(given == null ? "localhost" : given.getHost(), port, name);
    }

    String user() {
        return given == null ? "postgres" : credentials(given)[0];
    }

    String password() {
        return given == null ? "postgres" : credentials(given)[1];
    }

    public Connection connect() throws SQLException {
        return DriverManager.getConnection(url(), user(), password());
    }

    private static String[] credentials(URI server) {
        String[] parts = String.valueOf(server.getUserInfo()).split(":", 2);
        return new String[] {parts[0], parts.length > 1 ? parts[1] : ""};
    }

    private void execute(URI server, String sql) {
        String url = "jdbc:postgresql://%s:%d%s".formatted(server.getHost(), port, server.getPath());
        try (Connection connection = DriverManager.getConnection(url, user(), password());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(
                    "the server that DATABASE_URL names refused '%s': %s".formatted(sql, e.getMessage()), e);
        }
    }

    @Override
    public void close() {
        if (given == null) {
            stop();
        } else {
            execute(given, "drop database if exists " + name + " with (force)");
        }
    }
}
