package dev.mayfly.testkit;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/**
 * A fresh, empty PostgreSQL database for each test class: a {@code static} field with {@code @RegisterExtension}. All
 * classes of a JVM share one embedded server, started for the first of them and stopped with the test run; or they use
 * the {@linkplain PostgresAddress#given server that was given}. The database is dropped after the class.
 */
public final class PostgresExtension implements BeforeAllCallback, AfterAllCallback {

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
        return started().address.url(name);
    }

    public String user() {
        return started().address.user();
    }

    public String password() {
        return started().address.password();
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
        private final PostgresAddress address;

        private Server(@Nullable EmbeddedPostgres embedded, PostgresAddress address) {
            this.embedded = embedded;
            this.address = address;
        }

        static Server start() {
            return PostgresAddress.given().map(given -> new Server(null, given)).orElseGet(Server::startEmbedded);
        }

        private static Server startEmbedded() {
            try {
                EmbeddedPostgres embedded = EmbeddedPostgres.builder()
                        .setServerConfig("fsync", "off")
                        .setServerConfig("synchronous_commit", "off")
                        .setServerConfig("full_page_writes", "off")
                        .setServerConfig("max_connections", "200")
                        .start();
                return new Server(
                        embedded,
                        new PostgresAddress("127.0.0.1", embedded.getPort(), "postgres", "postgres", "postgres"));
            } catch (IOException failure) {
                throw new UncheckedIOException("the embedded PostgreSQL did not start", failure);
            }
        }

        void execute(String sql) {
            address.execute(sql);
        }

        @Override
        public void close() throws IOException {
            if (embedded != null) {
                embedded.close();
            }
        }
    }
}
