package dev.mayfly.api.start;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.ControlPlane.Answer;
import dev.mayfly.api.TestProject;
import dev.mayfly.testkit.gitlab.SimulatedGitLab;
import dev.mayfly.testkit.gitlab.SimulatedGitLabOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Two GitLab servers that count projects and jobs from the same numbers: their jobs never mix. */
final class TwoInstancesTest {

    private static final String YAML = """
            ended-by-user: {tags: [actuated-1cpu-1gb, shell], script: "true"}
            started-once: {tags: [actuated-1cpu-1gb, shell], script: "true"}
            """;

    @TempDir
    private static Path work;

    private static final SimulatedGitLab SECOND = startSecond();

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE = new ControlPlane(TwoInstancesTest::withSecond);

    private static TestProject inFirst;
    private static TestProject inSecond;

    private static SimulatedGitLab startSecond() {
        try {
            return SimulatedGitLab.start(
                    SimulatedGitLabOptions.plainOnLoopback(Files.createTempDirectory("mayfly-second-gitlab")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Called before the control plane starts. */
    private static String withSecond(String config) {
        try {
            Path folder = Files.createTempDirectory("mayfly-second-secrets");
            Path token = Files.writeString(folder.resolve("root-token"), SECOND.rootToken());
            Path secret = Files.writeString(folder.resolve("webhook-token"), "of-the-second");
            return config.replace("gitlab:\n", """
                    gitlab:
                      - {name: second, url: "%s", token: "file:%s", webhookToken: "file:%s"}
                    """.formatted(SECOND.url(), token, secret));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @BeforeAll
    static void push() {
        inFirst = new TestProject(CONTROL_PLANE.gitlab(), "acme/app");
        inSecond = new TestProject(SECOND, "acme/app");
        inFirst.push(work, YAML);
        inSecond.push(work, YAML);
        assertThat(inSecond.id()).as("what this test is about").isEqualTo(inFirst.id());
        assertThat(inSecond.jobs()).isEqualTo(inFirst.jobs());
    }

    @AfterAll
    static void close() {
        SECOND.close();
    }

    private static void webhook(String instance, String secret, long job) {
        Answer answer = CONTROL_PLANE.send(
                "POST",
                CONTROL_PLANE.url() + "/webhooks/gitlab/" + instance,
                Map.of("X-Gitlab-Token", secret),
                inFirst.event(job, "pending").getBytes(StandardCharsets.UTF_8));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    }

    private static Answer job(String instance, long job) {
        return CONTROL_PLANE.get("/api/v1/jobs/gitlab:%s:%d:%d".formatted(instance, inFirst.id(), job));
    }

    private static String pageOf(String instance, long job) {
        return job(instance, job).json().path("links").path("gitlab").asText();
    }

    private static String inGitLab(TestProject project, long job) {
        return project.call("GET", "/projects/%d/jobs/%d".formatted(project.id(), job), Map.of())
                .path("status")
                .asText();
    }

    @Test
    void anEventConcernsTheJobOfItsOwnInstance() {
        long job = inFirst.job("started-once");
        webhook("second", "of-the-second", job);
        ControlPlane.await("the second's job is known", () -> job("second", job).status() == 200);
        assertThat(job("gl", job).status()).isEqualTo(404);

        webhook("gl", ControlPlane.WEBHOOK_TOKEN, job);
        ControlPlane.await("the first's job is known", () -> job("gl", job).status() == 200);
        assertThat(pageOf("gl", job)).startsWith(CONTROL_PLANE.gitlab().url());
        assertThat(pageOf("second", job)).startsWith(SECOND.url());
    }

    @Test
    void theSecretOfOneIsNoneOfTheOther() {
        Answer answer = CONTROL_PLANE.send(
                "POST",
                CONTROL_PLANE.url() + "/webhooks/gitlab/second",
                Map.of("X-Gitlab-Token", ControlPlane.WEBHOOK_TOKEN),
                "{}".getBytes(StandardCharsets.UTF_8));
        assertThat(answer.status()).isEqualTo(401);
    }

    @Test
    void aNumberThatBothHaveNamesNeitherAndCancellingOneLeavesTheOther() {
        long job = inFirst.job("ended-by-user");
        webhook("second", "of-the-second", job);
        webhook("gl", ControlPlane.WEBHOOK_TOKEN, job);
        ControlPlane.await(
                "both are known",
                () -> job("gl", job).status() == 200 && job("second", job).status() == 200);
        Answer ambiguous = CONTROL_PLANE.api("POST", "/api/v1/jobs/%d/cancel".formatted(job));
        assertThat(ambiguous.status()).isEqualTo(409);
        assertThat(ambiguous.detail()).contains("?instance=");

        Answer cancelled = CONTROL_PLANE.api("POST", "/api/v1/jobs/%d/cancel?instance=second".formatted(job));
        assertThat(cancelled.status()).as(cancelled.body()).isEqualTo(202);
        JsonNode item = cancelled.json();
        assertThat(item.path("instance").asText()).as(item.toString()).isEqualTo("second");
        assertThat(inGitLab(inSecond, job)).isEqualTo("canceled");
        assertThat(inGitLab(inFirst, job)).isEqualTo("pending");
    }
}
