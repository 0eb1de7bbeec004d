package dev.mayfly.api.connect;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.Mayfly;
import dev.mayfly.api.TestProject;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A control plane that GitLab's webhooks do not reach, and then do. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class ProjectWatchTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE =
            new ControlPlane(config -> config.replace("reconcileEvery: 1h", "reconcileEvery: 1s")
                    .replace("{maxBody: 64KiB}", "{maxBody: 64KiB, watchEvery: 1s}")
                    .replace("webhookToken:", "reenableWebhooks: true, runnerLimit: 4, webhookToken:"));

    @TempDir
    private static Path work;

    @SuppressWarnings("NullAway.Init")
    private static TestProject project;

    private static JsonNode seen() {
        for (JsonNode one : CONTROL_PLANE.get("/api/v1/projects").json().path("items")) {
            if (one.path("projectPath").asText().equals("acme/watched")) {
                return one;
            }
        }
        return MissingNode.getInstance();
    }

    private static void awaitWebhook(String status) {
        ControlPlane.await(
                "its webhook is " + status,
                () -> seen().path("webhook").asText().equals(status));
    }

    private static double metric(String name) {
        String metrics = CONTROL_PLANE
                .send("GET", CONTROL_PLANE.adminUrl() + "/metrics", Map.of(), new byte[0])
                .body();
        return metrics.lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElseThrow();
    }

    private static String hookTo(String url) {
        return project.call(
                        "POST",
                        "/projects/%d/hooks".formatted(project.id()),
                        Map.of("url", url, "job_events", true, "token", ControlPlane.WEBHOOK_TOKEN))
                .path("id")
                .asText();
    }

    @Test
    @Order(1)
    void aProjectWithoutAWebhookIsNamedWithTheCure() {
        project = new TestProject(CONTROL_PLANE.gitlab(), "acme/watched");
        project.push(work, "ours: {tags: [actuated-1cpu-1gb, shell], script: 'true'}");
        awaitWebhook("missing");
        assertThat(seen().path("problems").toString()).contains("run mayfly gitlab connect --project acme/watched");
        assertThat(metric("mayfly_projects_webhook_off")).isEqualTo(1);
        assertThat(Mayfly.run("projects", "--url", CONTROL_PLANE.url(), "--token-file", tokenFile())
                        .out())
                .contains("acme/watched", "missing", "run mayfly gitlab connect");
    }

    private static String tokenFile() {
        return CONTROL_PLANE.folder().resolve("api-token").toString();
    }

    @Test
    @Order(2)
    void oneThatGitLabSwitchedOffIsSeen() throws Exception {
        int dead = ControlPlane.freePort();
        String hook = hookTo("http://127.0.0.1:%d/webhooks/gitlab/%s".formatted(dead, ControlPlane.INSTANCE));
        for (int i = 0; i < 4; i++) {
            project.push(work, "ours-%d: {tags: [docker], script: 'true'}".formatted(i));
        }
        awaitWebhook("temporarily_disabled");
        assertThat(seen().path("problems").toString()).contains("switched webhook " + hook + " off");
    }

    @Test
    @Order(3)
    void itIsSwitchedOnAgainByATestOnceItCanBeDelivered() {
        JsonNode hooks = project.call("GET", "/projects/%d/hooks".formatted(project.id()), Map.of());
        project.call(
                "PUT",
                "/projects/%d/hooks/%s"
                        .formatted(project.id(), hooks.get(0).path("id").asText()),
                Map.of("url", CONTROL_PLANE.url() + "/webhooks/gitlab/" + ControlPlane.INSTANCE));
        awaitWebhook("executable");
        assertThat(project.call("GET", "/projects/%d/hooks".formatted(project.id()), Map.of())
                        .get(0)
                        .path("alert_status")
                        .asText())
                .isEqualTo("executable");
        assertThat(CONTROL_PLANE.logged("a test was delivered, and it is on again"))
                .hasSize(1);
        assertThat(metric("mayfly_projects_webhook_off")).isZero();
    }

    @Test
    @Order(4)
    void thatItIsNearGitLabsLimitOfRunnersIsSaidInTime() {
        for (int i = 0; i < 4; i++) {
            project.call(
                    "POST",
                    "/user/runners",
                    Map.of("runner_type", "project_type", "project_id", project.id(), "tag_list", "docker"));
        }
        ControlPlane.await(
                "its runners are counted", () -> seen().path("runners").asInt() == 4);
        assertThat(seen().path("problems").toString()).contains("it has 4 runners and GitLab allows 4");
        assertThat(metric("mayfly_projects_runner_limit_used")).isEqualTo(1.0);
    }
}
