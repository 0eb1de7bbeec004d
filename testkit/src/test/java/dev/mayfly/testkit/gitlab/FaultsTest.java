package dev.mayfly.testkit.gitlab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The switches that only a simulated GitLab has. */
class FaultsTest extends WithGitLab {
    private static final String ADMIN = "/-/simulated-gitlab/admin";

    @Test
    void onlyRootsTokenMayUseThem() {
        assertThat(gitlab.json("GET", ADMIN + "/switches", Map.of(), null).status())
                .isEqualTo(401);
        String other = gitlab.json(
                        "POST",
                        ADMIN + "/tokens",
                        Map.of("PRIVATE-TOKEN", gitlab.server.rootToken()),
                        Map.of("username", "ann"))
                .json()
                .path("token")
                .asText();
        assertThat(gitlab.json("GET", ADMIN + "/switches", Map.of("PRIVATE-TOKEN", other), null)
                        .status())
                .isEqualTo(401);
    }

    @Test
    void requestsFailAsOftenAsAskedFor() {
        fault(Map.of("method", "GET", "path", "/api/v4/version", "status", 502, "times", 2));
        assertThat(version().status()).isEqualTo(502);
        assertThat(version().status()).isEqualTo(502);
        assertThat(version().status()).isEqualTo(200);
        fault(Map.of("path", "/api/v4/version", "status", 429, "retryAfter", 7));
        assertThat(version().header("Retry-After")).isEqualTo("7");
        fault(Map.of("path", "/api/v4/version", "status", -1));
        assertThatThrownBy(this::version).isInstanceOf(UncheckedIOException.class);
        fault();
        assertThat(version().status()).isEqualTo(200);
    }

    @Test
    void answersCanBeSlow() {
        fault(Map.of("path", "/api/v4/version", "delayMillis", 300));
        long begin = System.nanoTime();
        assertThat(version().status()).isEqualTo(200);
        assertThat((System.nanoTime() - begin) / 1_000_000).isGreaterThanOrEqualTo(300);
    }

    @Test
    void tokensWithTooLittleScopeAreRefusedWithTheScopeThatIsMissing() {
        String token = gitlab.json(
                        "POST",
                        ADMIN + "/tokens",
                        Map.of("PRIVATE-TOKEN", gitlab.server.rootToken()),
                        Map.of("username", "ann", "scopes", List.of("read_api")))
                .json()
                .path("token")
                .asText();
        long project = gitlab.createProject("acme/app");
        Answer refused = gitlab.json(
                "POST",
                "/api/v4/user/runners",
                Map.of("PRIVATE-TOKEN", token),
                Map.of("runner_type", "project_type", "project_id", project, "tag_list", List.of("a")));
        assertThat(refused.status()).isEqualTo(403);
        assertThat(refused.json().path("scope").asText()).contains("create_runner");
    }

    private Answer version() {
        return gitlab.root("GET", "/version", null);
    }

    private void fault(Object... faults) {
        gitlab.admin("/http-faults", Map.of("faults", List.of(faults)));
    }
}
