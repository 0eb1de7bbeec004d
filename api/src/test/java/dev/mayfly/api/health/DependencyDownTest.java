package dev.mayfly.api.health;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.api.ControlPlane;
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

    private static String dependency(String name) {
        for (JsonNode state : CONTROL_PLANE.get("/api/v1/ready").json().path("dependencies")) {
            if (state.path("name").asText().equals(name)) {
                return state.path("problem").asText("");
            }
        }
        throw new AssertionError("no dependency " + name);
    }
}
