package dev.mayfly.agent.claim;

import static dev.mayfly.agent.claim.ClaimFixture.get;
import static dev.mayfly.agent.claim.ClaimFixture.job;
import static dev.mayfly.agent.claim.ClaimFixture.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.activity.VmActivities.Ran.End;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReply;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From GitLab's answer to the commit: stored, reported, kept alive. */
class ReportedClaimTest extends ClaimTest {

    @Test
    void storesTheAnswerForTheAgentAloneBeforeAnythingElse() throws IOException {
        controlPlane.verdict = job -> FakeControlPlane.away();
        byte[] payload = gitlab.offer(7);
        var unused = fixture.broker.claim(vm, job(7));
        until("it was reported", () -> !controlPlane.reports.isEmpty());
        Path stored = folder.resolve("claim.json");
        assertThat(Files.readAllBytes(stored)).isEqualTo(payload);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(stored)))
                .isEqualTo("rw-------");
    }

    @Test
    void commitsOnlyAfterTheControlPlaneHasRecordedTheClaim() {
        CompletableFuture<ClaimReply> reply = new CompletableFuture<>();
        controlPlane.verdict = job -> reply;
        gitlab.offer(7);
        var claim = fixture.broker.claim(vm, job(7));
        until("it was kept alive", () -> gitlab.count("PUT 7 pending") >= 2);
        var run = fixture.broker.run(vm, job(7), Executor.SHELL);
        until("it was kept alive more", () -> gitlab.count("PUT 7 pending") >= 6);
        assertThat(gitlab.state(7)).isEqualTo("claimed");
        assertThat(vm.started).isEmpty();
        reply.complete(get(FakeControlPlane.held()));
        assertThat(get(claim)).isEqualTo(Claimed.CLAIMED);
        until("it was committed", () -> gitlab.state(7).equals("running"));
        until("the runner was started", () -> vm.started.contains(Executor.SHELL));
        assertThat(run.toCompletableFuture()).isNotDone();
    }

    @Test
    void aVoidClaimIsFailedErasedAndAskedOn() {
        controlPlane.verdict = job -> job == 6 ? FakeControlPlane.answer(Verdict.VOID) : FakeControlPlane.held();
        gitlab.offer(6);
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
        until("the void claim was failed", () -> gitlab.state(6).equals("failed"));
        assertThat(gitlab.log()).contains("its runner gave it back: because");
        assertThat(fixture.broker.claimedJob(vm.slotId())).contains(7L);
    }

    @Test
    void aTwoPhaseClaimLapsesWhenTheControlPlaneStaysAwayAndIsStillReported() {
        controlPlane.verdict = job -> FakeControlPlane.away();
        gitlab.offer(7);
        var claim = fixture.broker.claim(vm, job(7));
        until("it was kept alive", () -> gitlab.count("PUT 7 pending") >= 3);
        until("it is kept alive no more", () -> quiet(gitlab, controlPlane));
        assertThat(gitlab.state(7)).isEqualTo("claimed");
        assertThat(fixture.broker.claimedJob(vm.slotId())).contains(7L);
        gitlab.set(7, "failed");
        controlPlane.verdict = job -> FakeControlPlane.held();
        assertThat(get(claim)).isEqualTo(Claimed.CLAIMED);
        assertThat(get(fixture.broker.run(vm, job(7), Executor.SHELL)).end()).isEqualTo(End.ENDED_IN_GITLAB);
        assertThat(vm.started).isEmpty();
        assertThat(gitlab.count("POST request")).isEqualTo(1);
    }

    /** Whether the broker reported twice more without touching the claim. */
    private static boolean quiet(FakeGitLab gitlab, FakeControlPlane controlPlane) {
        long touches = gitlab.count("PUT 7 pending");
        int reports = controlPlane.reports.size();
        until("it was reported more", () -> controlPlane.reports.size() >= reports + 3);
        return gitlab.count("PUT 7 pending") == touches;
    }

    @Test
    void onAnOldServerAClaimIsFailedWhenTheControlPlaneStaysAway() {
        gitlab.twoPhase = false;
        controlPlane.verdict = job -> FakeControlPlane.away();
        gitlab.offer(7);
        var claim = fixture.broker.claim(vm, job(7));
        until("it was failed", () -> gitlab.state(7).equals("failed"));
        assertThat(gitlab.count("PUT 7 pending")).isEqualTo(1);
        assertThat(fixture.broker.claimedJob(vm.slotId())).contains(7L);
        controlPlane.verdict = job -> FakeControlPlane.held();
        assertThat(get(claim)).isEqualTo(Claimed.CLAIMED);
        assertThat(get(fixture.broker.run(vm, job(7), Executor.SHELL)).end()).isEqualTo(End.ENDED_IN_GITLAB);
    }

    @Test
    void aJobCancelledBeforeTheCommitEndsTheRun() {
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        gitlab.set(7, "canceled");
        Ran ran = get(fixture.broker.run(vm, job(7), Executor.SHELL));
        assertThat(ran.end()).isEqualTo(End.ENDED_IN_GITLAB);
        assertThat(vm.started).isEmpty();
    }

    @Test
    void aDockerJobIsFailedWithAReasonInItsLog() {
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        assertThat(get(fixture.broker.run(vm, job(7), Executor.DOCKER)).end()).isEqualTo(End.FAILED);
        assertThat(gitlab.updates
                        .get(gitlab.updates.size() - 1)
                        .path("failure_reason")
                        .asText())
                .isEqualTo("runner_configuration_error");
        assertThat(gitlab.log())
                .contains("gitlab-runner 15.4.2, has no docker executor; add the tag for the shell executor");
        assertThat(vm.started).isEmpty();
    }

    @Test
    void aReportWhoseReplyIsLostIsSentAgain() {
        controlPlane.verdict =
                job -> controlPlane.reports.size() < 3 ? FakeControlPlane.away() : FakeControlPlane.held();
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
        assertThat(controlPlane.reports).containsExactly(7L, 7L, 7L);
        assertThat(gitlab.count("POST request")).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 503})
    void aClaimIsTouchedNoSoonerThanGitLabWants(int status) {
        gitlab.fault = call -> call.equals("PUT 7 pending") && gitlab.count(call) == 1 ? status : null;
        gitlab.retryAfter = "1";
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        until("it was touched again", () -> gitlab.count("PUT 7 pending") >= 2);
        assertThat(gitlab.gap("PUT 7 pending", 1)).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void onAnOldServerTheCommitIsAHarmlessTouch() {
        gitlab.twoPhase = false;
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        var unused = fixture.broker.run(vm, job(7), Executor.SHELL);
        until("the runner was started", () -> vm.started.contains(Executor.SHELL));
        assertThat(gitlab.count("PUT 7 running")).isEqualTo(1);
        assertThat(gitlab.count("PUT 7 pending")).isEqualTo(1);
    }

    @Test
    void aJobWhoseClaimCannotBeStoredIsGivenBack() throws IOException {
        Files.createDirectories(folder.resolve("claim.json/in-the-way"));
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        until("it was failed", () -> gitlab.count("PUT 7 failed") >= 1);
        assertThat(controlPlane.reports).isEmpty();
        assertThat(fixture.broker.claimedJob(vm.slotId())).isEmpty();
    }
}
