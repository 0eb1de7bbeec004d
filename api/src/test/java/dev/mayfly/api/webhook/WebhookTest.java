package dev.mayfly.api.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.api.ControlPlane;
import dev.mayfly.api.ControlPlane.Answer;
import dev.mayfly.api.TestProject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Webhooks over HTTP: who may send, what is answered, and what becomes of odd ones. */
final class WebhookTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE = new ControlPlane();

    private static final AtomicLong KEYS = new AtomicLong();
    private static TestProject project;

    @BeforeAll
    static void push(@TempDir Path work) {
        project = new TestProject(CONTROL_PLANE.gitlab(), "acme/app");
        project.push(work, """
                ours: {tags: [actuated-1cpu-1gb, shell], script: "true"}
                again: {tags: [actuated-1cpu-1gb, shell], script: "true"}
                foreign: {tags: [docker], script: "true"}
                ended: {tags: [actuated-1cpu-1gb, shell], script: "true"}
                odd: {tags: [actuated-1cpu-1gb, shell], script: "true"}
                """);
    }

    private static String event(long job, String status) {
        return project.event(job, status);
    }

    private static String key() {
        return "key-" + KEYS.incrementAndGet();
    }

    private static Answer job(long id) {
        return CONTROL_PLANE.get("/api/v1/jobs/" + id);
    }

    private static void awaitLine(String... texts) {
        ControlPlane.await("one line with " + String.join(", ", texts), () -> lines(texts) > 0);
    }

    private static long lines(String... texts) {
        return CONTROL_PLANE.logged("INFO").stream()
                .filter(line -> java.util.Arrays.stream(texts).allMatch(line::contains))
                .count();
    }

    @Test
    void aWebhookWithoutOrWithAWrongSecretIsRefused() {
        byte[] body = event(project.job("ours"), "pending").getBytes(StandardCharsets.UTF_8);
        assertThat(CONTROL_PLANE.webhook(Map.of(), body).status()).isEqualTo(401);
        Answer wrong = CONTROL_PLANE.webhook(Map.of("X-Gitlab-Token", "guess"), body);
        assertThat(wrong.status()).isEqualTo(401);
        assertThat(wrong.type()).isEqualTo("application/problem+json");
        assertThat(wrong.body()).doesNotContain(ControlPlane.WEBHOOK_TOKEN);
        Map<String, String> forged = new HashMap<>(Map.of("X-Gitlab-Token", ControlPlane.WEBHOOK_TOKEN));
        forged.putAll(Map.of("webhook-id", "x", "webhook-timestamp", "1", "webhook-signature", "v1,AAAA"));
        assertThat(CONTROL_PLANE.webhook(forged, body).status()).isEqualTo(401);
    }

    @Test
    void aWebhookOfAnInstanceThatIsNotConfiguredIs404() {
        Answer answer = CONTROL_PLANE.send(
                "POST",
                CONTROL_PLANE.url() + "/webhooks/gitlab/other",
                Map.of("X-Gitlab-Token", ControlPlane.WEBHOOK_TOKEN),
                new byte[0]);
        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.detail()).contains("no GitLab instance of this name");
    }

    @Test
    void aBodyOverTheLimitIs413BeforeItsSecretIsLookedAt() {
        byte[] large = new byte[64 * 1024 + 1];
        Answer answer = CONTROL_PLANE.webhook(Map.of("X-Gitlab-Token", ControlPlane.WEBHOOK_TOKEN), large);
        assertThat(answer.status()).isEqualTo(413);
        assertThat(answer.detail()).contains("65536");
        assertThat(CONTROL_PLANE
                        .webhook(Map.of("X-Gitlab-Token", "guess"), new byte[64 * 1024])
                        .status())
                .isEqualTo(401);
    }

    @Test
    void aPendingJobOfOursIsStarted() {
        long id = project.job("ours");
        Answer answer = CONTROL_PLANE.webhook(key(), event(id, "pending"));
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).isEmpty();
        ControlPlane.await("the job is known", () -> job(id).status() == 200);
        awaitLine("gitlab:gl:", ":" + id, "workflow runs");
    }

    @Test
    void whatWasDeliveredBeforeIsIgnoredWithOneLine() {
        String key = key();
        String body = event(project.job("foreign"), "pending");
        assertThat(CONTROL_PLANE.webhook(key, body).status()).isEqualTo(200);
        assertThat(CONTROL_PLANE.webhook(key, body).status()).isEqualTo(200);
        assertThat(lines(key + " ", "ignored: it was delivered before")).isEqualTo(1);
        awaitLine(":" + project.job("foreign"), "ignored: none of the tags [docker] is ours");
        assertThat(job(project.job("foreign")).status()).isEqualTo(404);
    }

    @Test
    void withoutADeliveryKeyTheSameBodyIsADuplicateAndAnotherBodyIsNot() {
        Map<String, String> headers = Map.of("X-Gitlab-Token", ControlPlane.WEBHOOK_TOKEN);
        long id = project.job("again");
        byte[] first = event(id, "pending").getBytes(StandardCharsets.UTF_8);
        byte[] second = event(id, "pending")
                .replace("}", ",\"build_queued_duration\":7.5}")
                .getBytes(StandardCharsets.UTF_8);
        long before = lines("ignored: it was delivered before");
        assertThat(CONTROL_PLANE.webhook(headers, first).status()).isEqualTo(200);
        assertThat(CONTROL_PLANE.webhook(headers, second).status()).isEqualTo(200);
        assertThat(lines("ignored: it was delivered before")).isEqualTo(before);
        assertThat(CONTROL_PLANE.webhook(headers, first).status()).isEqualTo(200);
        assertThat(lines("ignored: it was delivered before")).isEqualTo(before + 1);
    }

    @Test
    void aJobThatEndedBeforeItsPendingArrivesIsNotStarted() {
        long id = project.job("ended");
        project.call("POST", "/projects/%d/jobs/%d/cancel".formatted(project.id(), id), Map.of());
        assertThat(CONTROL_PLANE.webhook(key(), event(id, "canceled")).status()).isEqualTo(200);
        awaitLine(":" + id, "canceled ignored: the job is unknown");
        assertThat(CONTROL_PLANE.webhook(key(), event(id, "pending")).status()).isEqualTo(200);
        awaitLine(":" + id, "ignored: GitLab shows it as canceled");
        assertThat(job(id).json().path("phase").isNull()).isTrue();
        assertThat(lines(":" + id, "workflow runs")).isZero();
    }

    @Test
    void earlyStatusesAndStatusesOfUnknownJobsAreIgnoredWithOneLineEach() {
        long id = 999_001;
        for (String status : new String[] {"created", "manual", "running", "success"}) {
            assertThat(CONTROL_PLANE.webhook(key(), event(id, status)).status()).isEqualTo(200);
            awaitLine(":" + id, status + " ignored");
            assertThat(lines(":" + id, status + " ignored")).isEqualTo(1);
        }
    }

    @Test
    void anUnknownStatusMakesUsAskGitLab() {
        long id = project.job("odd");
        assertThat(CONTROL_PLANE.webhook(key(), event(id, "levitating")).status())
                .isEqualTo(200);
        awaitLine(":" + id, "'levitating', a status unknown here");
        ControlPlane.await("the job is known", () -> job(id).status() == 200);
    }

    @Test
    void aJobThatGitLabDoesNotShowIsIgnored() {
        assertThat(CONTROL_PLANE.webhook(key(), event(999_002, "pending")).status())
                .isEqualTo(200);
        awaitLine(":999002", "ignored: GitLab shows no such job");
    }

    @Test
    void authenticNonsenseIsAnswered200AndIgnoredWithOneLine() {
        Map<String, String> bodies = Map.of(
                "pipeline", "{\"object_kind\":\"pipeline\"}",
                "no-fields", "{\"object_kind\":\"build\"}",
                "no-json", "hello",
                "empty", "");
        bodies.forEach((name, body) -> {
            String key = name + "-" + key();
            assertThat(CONTROL_PLANE.webhook(key, body).status()).isEqualTo(200);
            awaitLine(key + " ", "ignored: ");
            assertThat(lines(key + " ", "ignored: ")).isEqualTo(1);
        });
        String key = key();
        byte[] noText = {'{', '"', (byte) 0xc3, (byte) 0x28, '"', ':', '1', '}'};
        Map<String, String> headers = Map.of("X-Gitlab-Token", ControlPlane.WEBHOOK_TOKEN, "Idempotency-Key", key);
        assertThat(CONTROL_PLANE.webhook(headers, noText).status()).isEqualTo(200);
        awaitLine(key + " ", "ignored: it is no JSON");
    }
}
