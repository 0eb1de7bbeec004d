package dev.mayfly.agent.claim;

import static dev.mayfly.agent.claim.ClaimFixture.get;
import static dev.mayfly.agent.claim.ClaimFixture.job;
import static dev.mayfly.agent.claim.ClaimFixture.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.activity.VmActivities.Ran.End;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReply;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From the first request for a job to the commit, and what destroy must wait for. */
class ClaimBrokerTest {

    @TempDir
    Path folder;

    private ClaimFixture fixture;
    private FakeGitLab gitlab;
    private FakeControlPlane controlPlane;
    private FakeVm vm;

    @BeforeEach
    void start() throws IOException {
        fixture = new ClaimFixture(folder);
        gitlab = fixture.gitlab;
        controlPlane = fixture.controlPlane;
        vm = fixture.vm;
    }

    @AfterEach
    void stop() {
        fixture.close();
    }

    @Test
    void asksWithTheImagesOwnFeaturesUntilThereIsAJob() {
        CompletionStage<Claimed> call = fixture.broker.claim(vm, job(7));
        until("GitLab was asked twice", () -> gitlab.count("POST request") >= 2);
        gitlab.offer(7);
        assertThat(get(call)).isEqualTo(Claimed.CLAIMED);
        JsonNode request = gitlab.requests.get(0);
        assertThat(request.path("token").asText()).isEqualTo("glrt-secret");
        assertThat(request.path("system_id").asText()).isEqualTo("s_0123456789ab");
        assertThat(request.has("last_update")).isFalse();
        assertThat(request.path("info").path("version").asText()).isEqualTo("15.4.2");
        JsonNode features = request.path("info").path("features");
        assertThat(features.path("variables").asBoolean()).isTrue();
        assertThat(features.get("image").asBoolean()).isFalse();
        assertThat(features.path("two_phase_job_commit").asBoolean()).isTrue();
        assertThat(controlPlane.reports).containsExactly(7L);
        assertThat(fixture.broker.claimedJob(vm.slotId())).contains(7L);
    }

    @Test
    void doesNotAskBeforeTheVmAnswers() throws IOException {
        FakeVm booting = vm.nextBoot();
        fixture.broker.adopt(booting);
        CompletionStage<Claimed> call = fixture.broker.claim(booting, job(7));
        gitlab.offer(7);
        assertThat(get(fixture.broker.run(booting, job(7), Executor.SHELL)).end())
                .isEqualTo(End.REASSIGNED);
        assertThat(gitlab.calls).isEmpty();
        booting.answering();
        assertThat(get(call)).isEqualTo(Claimed.CLAIMED);
    }

    @Test
    void asksOnAfterErrorsOfGitLab() {
        gitlab.fault = call -> switch (gitlab.calls.size()) {
            case 1 -> 500;
            case 2 -> 409;
            case 3 -> 429;
            default -> null;
        };
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
    }

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
    void aSlotWithAClaimNeverAsksAgain() {
        gitlab.offer(7);
        gitlab.offer(8);
        get(fixture.broker.claim(vm, job(7)));
        assertThat(get(fixture.broker.claim(vm, job(8)))).isEqualTo(Claimed.REASSIGNED);
        until("the claim was kept alive a while", () -> gitlab.count("PUT 7 pending") >= 5);
        assertThat(gitlab.count("POST request")).isEqualTo(1);
    }

    @Test
    void theClaimOfAnotherJobReassigns() {
        gitlab.offer(6);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        assertThat(get(fixture.broker.run(vm, job(7), Executor.SHELL)).end()).isEqualTo(End.REASSIGNED);
    }

    @Test
    void aRestartedAgentReportsWhatIsStoredAndAsksForNothing() throws IOException {
        controlPlane.verdict = job -> FakeControlPlane.away();
        gitlab.offer(7);
        var lost = fixture.broker.claim(vm, job(7));
        until("it was reported", () -> !controlPlane.reports.isEmpty());
        assertThat(lost.toCompletableFuture()).isNotDone();
        fixture.restart(vm);
        controlPlane.verdict = job -> FakeControlPlane.held();
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.CLAIMED);
        assertThat(gitlab.count("POST request")).isEqualTo(1);
        assertThat(controlPlane.nonces).hasSize(1);
    }

    @Test
    void aRestartBetweenNonceAndTokenUsesTheSameNonce() throws IOException {
        String nonce = new ClaimStore(folder).nonce();
        fixture.restart(vm);
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        assertThat(controlPlane.nonces).containsExactly(nonce);
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
        assertThat(fixture.broker.claimedJob(vm.slotId())).contains(7L);
    }

    @Test
    void aRefusedSlotFailsTheJobAndNeverAsksAgainNotEvenAfterARestart() throws IOException {
        controlPlane.verdict =
                job -> CompletableFuture.failedStage(new ControlPlaneCalls.Refused("the slot is released"));
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        until("the job was failed", () -> gitlab.state(7).equals("failed"));
        assertThat(fixture.broker.claimedJob(vm.slotId())).isEmpty();
        fixture.restart(vm);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        assertThat(gitlab.count("POST request")).isEqualTo(1);
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
        assertThat(gitlab.log()).contains("docker executor");
        assertThat(vm.started).isEmpty();
    }

    @Test
    void aVmThatDiesWhileAskingEndsTheCall() {
        var claim = fixture.broker.claim(vm, job(7));
        until("GitLab was asked", () -> gitlab.count("POST request") >= 1);
        vm.die();
        assertThat(get(claim)).isEqualTo(Claimed.VM_DIED);
    }

    @Test
    void destroyWaitsForTheAnswerUnderWayAndReportsIt() {
        gitlab.heldPrefix = "POST request";
        gitlab.offer(6);
        var claim = fixture.broker.claim(vm, job(7));
        until("GitLab was asked", () -> gitlab.count("POST request") == 1);
        var destroy = fixture.broker.settleBeforeDestroy(vm, null);
        var second = fixture.broker.claim(vm, job(7));
        assertThat(destroy.toCompletableFuture()).isNotDone();
        gitlab.gate.countDown();
        assertThat(get(destroy)).isEqualTo(Destroyed.REASSIGNED);
        assertThat(controlPlane.reports).containsExactly(6L);
        assertThat(get(claim)).isEqualTo(Claimed.REASSIGNED);
        assertThat(get(second)).isEqualTo(Claimed.REASSIGNED);
    }

    @Test
    void destroyIsRefusedForAClaimThatItsCallerDoesNotKnowItsOwnJobsToo() {
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        assertThat(get(fixture.broker.settleBeforeDestroy(vm, null))).isEqualTo(Destroyed.REASSIGNED);
        assertThat(get(fixture.broker.settleBeforeDestroy(vm, 6L))).isEqualTo(Destroyed.REASSIGNED);
        assertThat(gitlab.state(7)).isEqualTo("claimed");
        var run = fixture.broker.run(vm, job(7), Executor.SHELL);
        until("it runs all the same", () -> gitlab.state(7).equals("running"));
        assertThat(get(fixture.broker.settleBeforeDestroy(vm, 7L))).isEqualTo(Destroyed.DESTROYED);
        until("the job was failed", () -> gitlab.state(7).equals("failed"));
        assertThat(get(run).end()).isEqualTo(End.REASSIGNED);
    }

    @Test
    void aSettledSlotAsksNoMore() {
        assertThat(get(fixture.broker.settleBeforeDestroy(vm, null))).isEqualTo(Destroyed.DESTROYED);
        gitlab.offer(7);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        assertThat(gitlab.calls).isEmpty();
    }

    @Test
    void destroyWaitsUntilTheControlPlaneTookTheReport() {
        controlPlane.verdict = job -> FakeControlPlane.away();
        gitlab.offer(6);
        var unused = fixture.broker.claim(vm, job(7));
        until("it was reported", () -> !controlPlane.reports.isEmpty());
        var destroy = fixture.broker.settleBeforeDestroy(vm, null);
        int reports = controlPlane.reports.size();
        until("it was reported more", () -> controlPlane.reports.size() > reports + 2);
        assertThat(destroy.toCompletableFuture()).isNotDone();
        controlPlane.verdict = job -> FakeControlPlane.answer(Verdict.VOID);
        assertThat(get(destroy)).isEqualTo(Destroyed.DESTROYED);
        assertThat(fixture.broker.claimedJob(vm.slotId())).isEmpty();
    }

    @Test
    void aSlotWhoseStoredClaimCannotBeReadNeverAsks() throws IOException {
        fixture.broker.forget(vm.slotId());
        new ClaimStore(folder).keepClaim("{cut".getBytes(StandardCharsets.UTF_8));
        gitlab.offer(7);
        fixture.restart(vm);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        assertThat(gitlab.count("POST request")).isZero();
        assertThat(get(fixture.broker.settleBeforeDestroy(vm, null))).isEqualTo(Destroyed.DESTROYED);
    }

    @Test
    void aRefusalCutShortByARestartStaysARefusal() throws IOException {
        ClaimStore store = new ClaimStore(folder);
        store.keepClaim(FakeGitLab.payload(7));
        store.keep(ClaimStore.Progress.NONE.withRefusal());
        gitlab.offer(8);
        fixture.restart(vm);
        assertThat(get(fixture.broker.claim(vm, job(7)))).isEqualTo(Claimed.REASSIGNED);
        assertThat(gitlab.calls).isEmpty();
    }

    @Test
    void aForgottenSlotAnswersWhoStillWaits() {
        var claim = fixture.broker.claim(vm, job(7));
        fixture.broker.forget(vm.slotId());
        assertThat(get(claim)).isEqualTo(Claimed.REASSIGNED);
    }
}
