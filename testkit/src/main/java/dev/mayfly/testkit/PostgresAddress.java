package dev.mayfly.testkit;

import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;

/**
 * Where a PostgreSQL server is, and a role there that may create databases.
 *
 * @param database to connect to for creating others
 */
public record PostgresAddress(String host, int port, String user, String password, String database) {

    private static final int USUAL_PORT = 5432;

    /**
     * The server that the environment's {@code DATABASE_URL} names, which is
     * {@code [jdbc:]postgresql://user:password@host[:port]/database}; empty if it is not set.
     */
    public static Optional<PostgresAddress> given() {
        return Optional.ofNullable(System.getenv("DATABASE_URL"))
                .filter(url -> !url.isBlank())
                .map(PostgresAddress::parse);
    }

    private static PostgresAddress parse(String url) {
        URI uri = URI.create(url.replaceFirst("^jdbc:", ""));
        String[] credentials = String.valueOf(uri.getUserInfo()).split(":", 2);
        return new PostgresAddress(
                uri.getHost(),
                uri.getPort() < 0 ? USUAL_PORT : uri.getPort(),
                credentials[0],
                credentials.length > 1 ? credentials[1] : "",
                uri.getPath().substring(1));
    }

    /** The JDBC URL of a database there. */
    public String url(String name) {
        return "jdbc:postgresql://%s:%d/%s".formatted(host, port, name);
    }

    /** Runs a statement in {@link #database}. */
    public void execute(String sql) {
        try (Connection connection = DriverManager.getConnection(url(database), user, password);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException failure) {
            throw new IllegalStateException("PostgreSQL at %s refused: %s".formatted(url(database), sql), failure);
        }
    }

    /** Without the password. */
    @Override
    public String toString() {
        return url(database);
    }
}
