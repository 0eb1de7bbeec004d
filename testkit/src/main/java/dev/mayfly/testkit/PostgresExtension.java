package dev.mayfly.testkit;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/**
 * A fresh, empty PostgreSQL database for each test class: a {@code static} field with {@code @RegisterExtension}. All
 * classes of a JVM share one embedded server, started for the first of them and stopped with the test run; or they use
 * the server named by the environment's {@code DATABASE_URL} ({@code postgresql://user:password@host:port/database},
 * a role that may create databases). The database is dropped after the class.
 */
public final class PostgresExtension implements BeforeAllCallback, AfterAllCallback {

    private static final String DATABASE_URL = "DATABASE_URL";

    private final String name = "test_" + UUID.randomUUID().toString().replace("-", "");
    private @Nullable Server server;

    @Override
    public void beforeAll(ExtensionContext context) {
        server = context.getRoot()
                .getStore(Namespace.create(PostgresExtension.class))
                .getOrComputeIfAbsent(Server.class, key -> Server.start(), Server.class);
        server.execute("create database " + name);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (server != null) {
            server.execute("drop database if exists " + name + " with (force)");
        }
    }

    /** For tests of another engine than Jupiter: a server and a database of its own, until {@link #stop}. */
    public void start() {
        server = Server.start();
        server.execute("create database " + name);
    }

    /** Ends what {@link #start} began. */
    public void stop() throws IOException {
        started().execute("drop database if exists " + name + " with (force)");
        started().close();
    }

    /** JDBC URL of this class's database. */
    public String url() {
        return started().url(name);
    }

    public String user() {
        return started().user;
    }

    public String password() {
        return started().password;
    }

    /** Ends all connections to this class's database, as a restart of PostgreSQL would. */
    public void cutConnections() {
        started().execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + name + "'");
    }

    /** Whether this class's database takes new connections, as if PostgreSQL were down or up again. */
    public void allowConnections(boolean allowed) {
        started().execute("alter database " + name + " allow_connections " + allowed);
    }

    private Server started() {
        if (server == null) {
            throw new IllegalStateException("use PostgresExtension as a static field with @RegisterExtension");
        }
        return server;
    }

    /** The one server of this JVM; JUnit closes it with its root store. */
    private static final class Server implements AutoCloseable {

        private final @Nullable EmbeddedPostgres embedded;
        private final String host;
        private final int port;
        private final String user;
        private final String password;
        private final String maintenance;

        private Server(
                @Nullable EmbeddedPostgres embedded,
                String host,
                int port,
                String user,
                String password,
                String maintenance) {
            this.embedded = embedded;
            this.host = host;
            this.port = port;
            this.user = user;
            this.password = password;
            this.maintenance = maintenance;
        }

        static Server start() {
            String given = System.getenv(DATABASE_URL);
            if (given != null && !given.isBlank()) {
                URI uri = URI.create(given.replaceFirst("^jdbc:", ""));
                String[] credentials = String.valueOf(uri.getUserInfo()).split(":", 2);
                return new Server(
                        null,
                        uri.getHost(),
                        uri.getPort() < 0 ? 5432 : uri.getPort(),
                        credentials[0],
                        credentials.length > 1 ? credentials[1] : "",
                        uri.getPath().substring(1));
            }
            try {
                EmbeddedPostgres embedded = EmbeddedPostgres.builder()
                        .setServerConfig("fsync", "off")
                        .setServerConfig("synchronous_commit", "off")
                        .setServerConfig("full_page_writes", "off")
                        .setServerConfig("max_connections", "200")
                        .start();
                return new Server(embedded, "127.0.0.1", embedded.getPort(), "postgres", "postgres", "postgres");
            } catch (IOException failure) {
                throw new UncheckedIOException("the embedded PostgreSQL did not start", failure);
            }
        }

        String url(String database) {
            return "jdbc:postgresql://%s:%d/%s".formatted(host, port, database);
        }

        void execute(String sql) {
            try (Connection connection = DriverManager.getConnection(url(maintenance), user, password);
                    Statement statement = connection.createStatement()) {
                statement.execute(sql);
            } catch (SQLException failure) {
                throw new IllegalStateException(
                        "PostgreSQL at %s refused: %s".formatted(url(maintenance), sql), failure);
            }
        }

        @Override
        public void close() throws IOException {
            if (embedded != null) {
                embedded.close();
            }
        }
    }
}
