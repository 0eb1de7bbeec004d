package dev.mayfly.api.health;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.Mayfly;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** GitLab and Temporal are not there at start: the control plane comes up, serves hosts, and says what it waits for. */
final class DependencyDownTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE =
            new ControlPlane(config -> config.replaceAll("url: \"http://[^\"]*\"", "url: \"http://127.0.0.1:1\"")
                    .replaceAll("target: \"[^\"]*\"", "target: \"127.0.0.1:1\""));

    @Test
    void readinessNamesWhatIsDownAndTheCure() {
        ControlPlane.await(
                "both were looked at",
                () -> dependency("GitLab gl").contains("no answer")
                        && dependency("Temporal").contains("UNAVAILABLE"));
        assertThat(CONTROL_PLANE.get("/api/v1/ready").status()).isEqualTo(503);
        assertThat(dependency("PostgreSQL")).isEmpty();
        assertThat(dependency("GitLab gl"))
                .contains("http://127.0.0.1:1 can be reached")
                .doesNotContain("type=", "nonRetryable");
        assertThat(dependency("Temporal")).contains("start it at 127.0.0.1:1");
        ControlPlane.await(
                "a line that says so",
                () -> !CONTROL_PLANE.logged("waiting for Temporal: ").isEmpty());
        assertThat(CONTROL_PLANE.get("/api/v1/hosts").status()).isEqualTo(200);
    }

    @Test
    void theLedgerSaysWhatItCouldNotCompare() throws SQLException {
        try (Connection connection = DriverManager.getConnection(
                        CONTROL_PLANE.postgres().url(),
                        CONTROL_PLANE.postgres().user(),
                        CONTROL_PLANE.postgres().password());
                Statement statement = connection.createStatement()) {
            statement.execute("""
                    insert into job (key, instance, project_id, job_id, project_path, name, stage, ref, sha, pipeline_id,
                        web_url, user_name, tags, executor, status, status_rank, seen_at)
                    values ('gitlab:gl:7:10', 'gl', 7, 10, 'acme/app', 'one', 'test', 'main', 'a1b2c3', 1,
                        'http://gitlab.test/10', 'ada', '{}', 'SHELL', 'success', 5, now())""");
        }
        JsonNode unknown = CONTROL_PLANE.get("/api/v1/ledger").json().path("unknown");
        assertThat(unknown)
                .singleElement()
                .satisfies(what -> assertThat(what.asText())
                        .startsWith("runners of acme/app in GitLab gl: ")
                        .contains("no answer"));
        assertThat(Mayfly.against(CONTROL_PLANE, "ledger").out())
                .contains("UNKNOWN: runners of acme/app in GitLab gl: ");
    }

    private static String dependency(String name) {
        for (JsonNode state : CONTROL_PLANE.get("/api/v1/ready").json().path("dependencies")) {
            if (state.path("name").asText().equals(name)) {
                return state.path("problem").asText("");
            }
        }
        throw new AssertionError("no dependency " + name);
    }
}
