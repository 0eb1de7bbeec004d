package dev.mayfly.demo.deployment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@code deploy/postgres-init.sql} on a real, empty server: what psql adds (its variables) is put in by hand. */
final class DatabasesTest {

    @SuppressWarnings("NullAway.Init")
    private static EmbeddedPostgres server;

    @BeforeAll
    static void runTheScript() throws Exception {
        server = EmbeddedPostgres.builder().setServerConfig("fsync", "off").start();
        String script = Checkout.text("deploy/postgres-init.sql")
                .replaceAll("(?m)^(--|\\\\).*$", "")
                .replaceAll(":'([a-z_]+)'", "'the $1'");
        try (Connection connection = connect("postgres", "postgres", "postgres");
                Statement statement = connection.createStatement()) {
            for (String command : script.split(";", -1)) {
                if (!command.isBlank()) {
                    statement.execute(command);
                }
            }
        }
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @Test
    void eachProgramMakesTablesInItsOwnDatabases() throws Exception {
        createTable("mayfly", "mayfly");
        createTable("temporal", "temporal");
        createTable("temporal_visibility", "temporal");
        try (Connection connection = connect("temporal_visibility", "temporal", "the temporal_password");
                Statement statement = connection.createStatement()) {
            statement.execute("create extension if not exists btree_gin"); // which Temporal's schema does
        }
    }

    @Test
    void neitherProgramEntersTheOthersDatabases() {
        assertThatThrownBy(() -> connect("mayfly", "temporal", "the temporal_password"))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("permission denied for database");
        assertThatThrownBy(() -> connect("temporal", "mayfly", "the mayfly_password"))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("permission denied for database");
    }

    @Test
    void passwordsAreReadFromTheirFilesAndStandInNoArgument() {
        assertThat(Checkout.text("deploy/postgres-init.sql"))
                .contains("\\set mayfly_password `cat /run/secrets/mayfly-database`")
                .contains("\\set temporal_password `cat /run/secrets/temporal-database`");
    }

    private static void createTable(String database, String role) throws SQLException {
        try (Connection connection = connect(database, role, "the %s_password".formatted(role));
                Statement statement = connection.createStatement()) {
            statement.execute("create table it_works (id integer)");
        }
    }

    private static Connection connect(String database, String user, String password) throws SQLException {
        return DriverManager.getConnection(server.getJdbcUrl(user, database), user, password);
    }
}
