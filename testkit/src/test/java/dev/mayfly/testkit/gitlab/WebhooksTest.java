package dev.mayfly.testkit.gitlab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.testkit.gitlab.TestRunner.Job;
import dev.mayfly.testkit.gitlab.WebhookReceiver.Delivery;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What receivers of webhooks get to see, and what they do not. */
class WebhooksTest extends WithGitLab {
    private static final byte[] KEY = "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private WebhookReceiver receiver;
    private long project;
    private long hook;
    private TestRunner runner;

    @BeforeEach
    void start() throws IOException {
        receiver = new WebhookReceiver();
        project = gitlab.createProject("acme/app");
        runner = gitlab.runner(project, "t");
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("url", receiver.url());
        settings.put("token", "a secret token");
        settings.put("signing_token", "whsec_" + Base64.getEncoder().encodeToString(KEY));
        settings.put("job_events", true);
        settings.put("pipeline_events", true);
        settings.put("push_events", false);
        JsonNode made =
                gitlab.root("POST", "/projects/" + project + "/hooks", settings).json();
        hook = made.path("id").asLong();
        assertThat(made.path("signing_token_present").asBoolean()).isTrue();
        assertThat(made.has("token")).isFalse();
        assertThat(made.has("signing_token")).isFalse();
    }

    @AfterEach
    void stop() {
        receiver.close();
    }

    @Test
    void aJobsLifeIsToldEventByEvent() {
        gitlab.push(project, "a: {tags: [t], script: x}\n");
        runner.start().succeed();
        for (String status : List.of("created", "pending", "running", "success")) {
            receiver.await("Job Hook: a " + status);
            receiver.await("Pipeline Hook: " + status.replace("created", "pending"));
        }
        assertThat(receiver.events()).doesNotHaveDuplicates();
    }

    @Test
    void cancelingAndSkippedAndManualSendNothing() {
        gitlab.push(project, """
                default: {tags: [t]}
                stages: [one, two]
                a: {stage: one, script: x}
                m: {stage: one, script: x, when: manual}
                b: {stage: two, script: x}
                """);
        Job job = runner.start();
        gitlab.root("POST", "/projects/%d/jobs/%d/cancel".formatted(project, job.id()), null);
        job.fail("script_failure", 1);
        receiver.await("Job Hook: a canceled");
        assertThat(receiver.events())
                .doesNotContain("Job Hook: a canceling", "Job Hook: b skipped", "Job Hook: m manual");
    }

    @Test
    void headersAreGitLabsAndTheSignatureIsRight() throws GeneralSecurityException {
        gitlab.push(project, "a: {tags: [t], script: x}\n");
        receiver.await("Job Hook: a pending");
        for (Delivery delivery : receiver.deliveries) {
            String id = delivery.headers().getFirst("webhook-id");
            String timestamp = delivery.headers().getFirst("webhook-timestamp");
            assertThat(delivery.headers().getFirst("Idempotency-Key")).isEqualTo(id);
            assertThat(delivery.headers().getFirst("X-Gitlab-Token")).isEqualTo("a secret token");
            assertThat(delivery.headers().getFirst("X-Gitlab-Instance")).isEqualTo(gitlab.server.url());
            assertThat(delivery.headers().getFirst("User-Agent")).startsWith("GitLab/");
            assertThat(delivery.headers().getFirst("Content-Type")).isEqualTo("application/json");
            assertThat(delivery.headers().containsKey("X-Gitlab-Webhook-UUID")).isTrue();
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(KEY, "HmacSHA256"));
            mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
            assertThat(delivery.headers().getFirst("webhook-signature"))
                    .isEqualTo("v1,"
                            + Base64.getEncoder()
                                    .encodeToString(mac.doFinal(delivery.body().getBytes(StandardCharsets.UTF_8))));
        }
    }

    @Test
    void noEventTellsTheJobsTags() {
        gitlab.push(project, "a: {tags: [t], script: x}\n");
        receiver.await("Job Hook: a pending");
        Delivery pending = receiver.deliveries.stream()
                .filter(one -> one.event().equals("Job Hook: a pending"))
                .findFirst()
                .orElseThrow();
        assertThat(pending.json().path("runner").isNull()).isTrue();
        assertThat(pending.body()).doesNotContain("tag_list");
    }

    @Test
    void aHookThatKeepsFailingIsSwitchedOffForAMinuteAndASuccessfulTestBringsItBack() {
        receiver.answer.set(500);
        long pipeline = gitlab.push(project, """
                default: {tags: [t]}
                a: {script: x}
                b: {script: x}
                """);
        TestGitLab.await("switched off", () -> alertStatus().equals("temporarily_disabled"));
        int before = receiver.deliveries.size();
        runner.start().succeed();
        assertThat(gitlab.statuses(project, pipeline)).containsEntry("a", "success");
        gitlab.clock.pass(Duration.ofSeconds(61));
        assertThat(alertStatus()).isEqualTo("executable");
        receiver.answer.set(200);
        Answer test = gitlab.root("POST", "/projects/%d/hooks/%d/test/job_events".formatted(project, hook), null);
        assertThat(test.status()).isEqualTo(201);
        assertThat(receiver.deliveries).hasSize(before + 1);
        assertThat(gitlab.get("/projects/%d/hooks/%d/events".formatted(project, hook))
                        .path(0)
                        .path("response_status")
                        .asText())
                .isEqualTo("200");
    }

    @Test
    void faultsDropDoubleDelayAndReorderEvents() {
        fault(
                Map.of("action", "drop", "status", "created"),
                Map.of("action", "double", "event", "Job Hook", "status", "pending"));
        gitlab.push(project, "a: {tags: [t], script: x}\n");
        TestGitLab.await(
                "the doubled event",
                () -> receiver.events().stream()
                                .filter("Job Hook: a pending"::equals)
                                .count()
                        == 2);
        List<String> keys = receiver.deliveries.stream()
                .filter(one -> one.event().equals("Job Hook: a pending"))
                .map(one -> String.valueOf(one.headers().getFirst("Idempotency-Key")))
                .toList();
        assertThat(keys.get(0)).isEqualTo(keys.get(1));
        assertThat(receiver.events()).doesNotContain("Job Hook: a created");
        fault(Map.of("action", "reorder", "event", "Job Hook", "status", "running"));
        runner.start().succeed();
        receiver.await("Job Hook: a running");
        assertThat(receiver.events().indexOf("Job Hook: a running"))
                .isGreaterThan(receiver.events().indexOf("Job Hook: a success"));
    }

    private String alertStatus() {
        return gitlab.get("/projects/%d/hooks/%d".formatted(project, hook))
                .path("alert_status")
                .asText();
    }

    private void fault(Object... faults) {
        gitlab.admin("/webhook-faults", Map.of("faults", List.of(faults)));
    }
}
