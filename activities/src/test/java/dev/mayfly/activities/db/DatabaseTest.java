package dev.mayfly.activities.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.testkit.PostgresExtension;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The schema, and that every statement fits it. */
class DatabaseTest {

    @RegisterExtension
    static final PostgresExtension postgres = new PostgresExtension();

    @Test
    void anEmptyDatabaseIsBroughtUpToDateOnceAndThenLeftAlone() {
        try (Database database = open()) {
            assertThat(applied(database)).isGreaterThan(0);
            assertThat(database.isUp()).isTrue();
        }
        try (Database again = open()) {
            int before = applied(again);
            try (Database third = open()) {
                assertThat(applied(third)).isEqualTo(before);
            }
        }
    }

    @Test
    void aSchemaOfANewerProgramIsRefusedWithTheCure() {
        try (Database database = open()) {
            database.jdbi().useHandle(handle -> handle.execute("""
                    insert into flyway_schema_history (installed_rank, version, description, type, script, checksum,
                        installed_by, execution_time, success)
                    values (99, '99', 'later', 'SQL', 'V99__later.sql', 1, 'test', 1, true)"""));
            assertThatThrownBy(DatabaseTest::open)
                    .isInstanceOf(DatabaseException.class)
                    .hasMessageContaining("V99__later.sql")
                    .hasMessageContaining("Start the newer program");
            database.jdbi()
                    .useHandle(handle -> handle.execute("delete from flyway_schema_history where version = '99'"));
        }
    }

    @Test
    void aDatabaseThatCantBeUsedIsNamedWithoutItsPassword() {
        DatabaseConfig nobodyThere = new DatabaseConfig("jdbc:postgresql://127.0.0.1:1/x", "ann", "s3cret", 1);

        assertThatThrownBy(() -> Database.open(nobodyThere))
                .isInstanceOf(DatabaseException.class)
                .hasMessageContaining("127.0.0.1:1")
                .hasMessageContaining("user ann")
                .hasMessageNotContaining("s3cret");
        assertThat(nobodyThere.toString()).doesNotContain("s3cret");
    }

    /** The pool trusts a connection that was used less than half a second ago. */
    @Test
    @Timeout(20)
    void connectionsThatWereCutAreMadeAnew() {
        try (Database database = open()) {
            assertThat(database.isUp()).isTrue();
            postgres.cutConnections();
            while (!database.isUp()) {
                Thread.onSpinWait();
            }
            assertThat(applied(database)).isGreaterThan(0);
        }
    }

    static Stream<Class<?>> sqlObjects() throws ClassNotFoundException {
        return Stream.of(
                Class.forName("dev.mayfly.activities.capacity.HostDao"),
                Class.forName("dev.mayfly.activities.capacity.SlotDao"),
                Class.forName("dev.mayfly.activities.gitlab.RunnerDao"),
                Class.forName("dev.mayfly.activities.jobs.JobDao"));
    }

    @ParameterizedTest
    @MethodSource("sqlObjects")
    void everyStatementIsUnderstoodAndGivesWhatItsRowNeeds(Class<?> sqlObject) throws SQLException {
        int checked = 0;
        try (Database database = open();
                var handle = database.jdbi().open()) {
            for (Method method : sqlObject.getDeclaredMethods()) {
                SqlQuery query = method.getAnnotation(SqlQuery.class);
                SqlUpdate update = method.getAnnotation(SqlUpdate.class);
                if (query != null || update != null) {
                    String sql = query != null ? query.value() : update.value();
                    assertThat(columns(handle.getConnection(), sql))
                            .as("%s.%s", sqlObject.getSimpleName(), method.getName())
                            .containsAll(query == null ? List.of() : needed(method.getGenericReturnType()));
                    checked++;
                }
            }
        }
        assertThat(checked).isGreaterThan(3);
    }

    /** Has PostgreSQL parse the statement, which fails if it names a column that is not there. */
    private static List<String> columns(Connection connection, String sql) throws SQLException {
        String positional = sql.replaceAll("(?<!:):[A-Za-z][A-Za-z.?]*", "?");
        List<String> columns = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(positional)) {
            assertThat(statement.getParameterMetaData().getParameterCount())
                    .isEqualTo(positional.length() - positional.replace("?", "").length());
            ResultSetMetaData result = statement.getMetaData();
            for (int i = 1; result != null && i <= result.getColumnCount(); i++) {
                columns.add(result.getColumnName(i));
            }
        }
        return columns;
    }

    /** The columns of a record's components; none for a single value. */
    private static List<String> needed(Type type) {
        Type row = type instanceof ParameterizedType list ? list.getActualTypeArguments()[0] : type;
        List<String> names = new ArrayList<>();
        if (row instanceof Class<?> record && record.isRecord()) {
            for (RecordComponent component : record.getRecordComponents()) {
                if (component.getType().isRecord()) {
                    names.addAll(needed(component.getType()));
                } else {
                    names.add(component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT));
                }
            }
        }
        return names;
    }

    private static int applied(Database database) {
        return database.jdbi()
                .withHandle(handle -> handle.createQuery("select count(*) from flyway_schema_history where success")
                        .mapTo(Integer.class)
                        .one());
    }

    private static Database open() {
        return Database.open(new DatabaseConfig(postgres.url(), postgres.user(), postgres.password(), 2));
    }
}
