package dev.mayfly.activities.gitlab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.activities.capacity.ClaimedJob;
import dev.mayfly.activities.capacity.WithFleet;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReport;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import io.temporal.failure.ApplicationFailure;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LostJobsTest extends WithFleet {

    @TempDir
    Path work;

    private OnGitLab gitlab;
    private GitLabs clients;
    private GitLabJobs jobs;
    private JobKey key;
    private String token;

    @BeforeEach
    void claim() throws Exception {
        gitlab = new OnGitLab(work);
        clients = gitlab.clients(null);
        jobs = new GitLabJobs(
                fleet.database.jdbi(),
                fleet.clock,
                clients,
                fleet.sealer,
                fleet.installation.id(),
                Duration.ofHours(2));
        key = gitlab.push("one: {tags: [actuated-2cpu, shell], script: x}\n").get(0);
        JsonNode payload = gitlab.take(gitlab.foreignRunner("ours", "actuated-2cpu", "shell"));
        token = payload.path("token").asText();
        CiJob job = OnGitLab.ciJob(key, "actuated-2cpu", "shell");
        fleet.host("a", 1);
        Holding slot = fleet.holds(job);
        fleet.capacity.claimed(
                "a",
                new ClaimReport("a", slot.slotId(), slot.epoch(), key.projectId(), key.jobId(), token),
                new ClaimedJob(job, null));
    }

    @AfterEach
    void stop() throws IOException {
        clients.close();
        gitlab.close();
    }

    @Test
    void aClaimThatWasNeverCommittedIsFailedWithTheReasonInItsLog() {
        jobs.failLostJob(key, "host a was lost");

        isFailed();
        assertThat(gitlab.log(key)).contains("Mayfly: host a was lost");
    }

    @Test
    void aRunningJobsLogGoesOnWhereItEnded() {
        put("running");
        log(0, "building…\n");

        jobs.failLostJob(key, "host a was lost");

        isFailed();
        assertThat(gitlab.log(key)).startsWith("building…").endsWith("Mayfly: host a was lost\n");
    }

    @Test
    void theVmsTokenIsRefusedFromThenOn() {
        put("running");

        jobs.failLostJob(key, "host a was lost");

        assertThat(put("success")).as("fenced").isEqualTo(403);
        isFailed();
    }

    @Test
    void aJobThatHasEndedIsLeftAlone() {
        put("running");
        put("success");

        jobs.failLostJob(key, "host a was lost");

        assertThat(gitlab.job(key).path("status").asText()).isEqualTo("success");
        assertThat(gitlab.log(key)).doesNotContain("Mayfly");
    }

    @Test
    void failingTwiceIsTheSameAsOnce() {
        jobs.failLostJob(key, "host a was lost");
        jobs.failLostJob(key, "host a was lost");

        isFailed();
        assertThat(gitlab.log(key)).containsOnlyOnce("Mayfly: host a was lost");
    }

    @Test
    void aJobWhoseTokenNobodyReportedIsCancelledInstead() throws Exception {
        JobKey other = gitlab.push("one: {tags: [other], script: x}\n").stream()
                .filter(job -> !job.equals(key))
                .findFirst()
                .orElseThrow();

        jobs.failLostJob(other, "its 201 was lost");

        assertThat(gitlab.job(other).path("status").asText()).isEqualTo("canceled");
    }

    @Test
    void anOutageIsUnavailableAndTheNextTryFinishes() {
        gitlab.faults(Map.of("path", "/api/v4/jobs/", "status", 429, "retryAfter", 9));
        ApplicationFailure limited = failure();
        assertThat(limited.getType()).isEqualTo(FailureType.GITLAB_UNAVAILABLE.name());
        assertThat(limited.getNextRetryDelay()).isEqualTo(Duration.ofSeconds(9));
        assertThat(limited.getOriginalMessage()).contains(key.toString()).doesNotContain(token);

        gitlab.faults(Map.of("path", "/api/v4/jobs/.*/trace", "status", -1));
        assertThat(failure().getType()).isEqualTo(FailureType.GITLAB_UNAVAILABLE.name());

        gitlab.faults();
        jobs.failLostJob(key, "host a was lost");
        isFailed();
    }

    private ApplicationFailure failure() {
        return catchThrowableOfType(ApplicationFailure.class, () -> jobs.failLostJob(key, "host a was lost"));
    }

    private void isFailed() {
        JsonNode job = gitlab.job(key);
        assertThat(job.path("status").asText()).isEqualTo("failed");
        assertThat(job.path("failure_reason").asText()).isEqualTo("runner_system_failure");
    }

    private int put(String state) {
        return gitlab.call("PUT", "/api/v4/jobs/" + key.jobId(), Map.of(), Map.of("token", token, "state", state))
                .statusCode();
    }

    private void log(int from, String text) {
        int status = gitlab.call(
                        "PATCH",
                        "/api/v4/jobs/" + key.jobId() + "/trace",
                        Map.of(
                                "JOB-TOKEN",
                                token,
                                "Content-Type",
                                "text/plain",
                                "Content-Range",
                                from + "-" + (from + text.length())),
                        text)
                .statusCode();
        assertThat(status).isEqualTo(202);
    }
}
