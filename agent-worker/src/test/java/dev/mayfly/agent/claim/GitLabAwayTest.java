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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** GitLab may be away for a while at any time of a job's life, and the job ends as if it had not been. */
class GitLabAwayTest extends ClaimTest {

    /** Until several calls have failed. */
    private void awayForAWhile() {
        gitlab.missed.set(0);
        gitlab.away = true;
        until("several calls failed", () -> gitlab.missed.get() >= 5);
        gitlab.away = false;
    }

    private CompletionStage<Ran> running() throws IOException {
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        CompletionStage<Ran> run = fixture.broker.run(vm, job(7), Executor.SHELL);
        until("the runner was started", () -> !vm.started.isEmpty());
        assertThat(fixture.guest().requestJob().status()).isEqualTo(201);
        return run;
    }

    @Test
    void whileTheSlotAsks() {
        CompletionStage<Claimed> claim = fixture.broker.claim(vm, job(7));
        awayForAWhile();
        gitlab.offer(7);
        assertThat(get(claim)).isEqualTo(Claimed.CLAIMED);
    }

    @Test
    void whileAClaimIsKeptAlive() {
        CompletableFuture<ClaimReply> reply = new CompletableFuture<>();
        controlPlane.verdict = job -> reply;
        gitlab.offer(7);
        CompletionStage<Claimed> claim = fixture.broker.claim(vm, job(7));
        until("it was kept alive", () -> gitlab.count("PUT 7 pending") >= 1);
        awayForAWhile();
        reply.complete(get(FakeControlPlane.held()));
        assertThat(get(claim)).isEqualTo(Claimed.CLAIMED);
        var unused = fixture.broker.run(vm, job(7), Executor.SHELL);
        until("it runs", () -> gitlab.state(7).equals("running"));
    }

    @Test
    void whileAClaimIsCommitted() {
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        gitlab.away = true;
        CompletionStage<Ran> run = fixture.broker.run(vm, job(7), Executor.SHELL);
        awayForAWhile();
        until("the runner was started", () -> vm.started.contains(Executor.SHELL));
        assertThat(gitlab.state(7)).isEqualTo("running");
        assertThat(run.toCompletableFuture()).isNotDone();
    }

    /** The runner is told to try again, and does so from where it was. */
    @Test
    void whileTheJobRuns() throws IOException {
        CompletionStage<Ran> run = running();
        assertThat(fixture.guest().patch(7, 0, "one").status()).isEqualTo(202);
        gitlab.away = true;
        assertThat(fixture.guest().patch(7, 3, " two").status()).isEqualTo(503);
        assertThat(fixture.guest().put(7, "success").status()).isEqualTo(503);
        assertThat(run.toCompletableFuture()).isNotDone();
        gitlab.away = false;
        assertThat(fixture.guest().patch(7, 3, " two").status()).isEqualTo(202);
        assertThat(fixture.guest().put(7, "success").status()).isEqualTo(200);
        assertThat(get(run).end()).isEqualTo(End.SUCCEEDED);
        assertThat(gitlab.log()).isEqualTo("one two");
    }

    @Test
    void beforeTheFirstUpdateThePayloadIsServedAllTheSame() throws IOException {
        var unused = running();
        gitlab.away = true;
        assertThat(fixture.guest().requestJob().status()).isEqualTo(201);
    }

    @Test
    void whileTheBrokerSpeaksForADeadVm() throws IOException {
        CompletionStage<Ran> run = running();
        gitlab.away = true;
        vm.die();
        awayForAWhile();
        assertThat(get(run).end()).isEqualTo(End.VM_LOST);
        assertThat(gitlab.state(7)).isEqualTo("failed");
        assertThat(gitlab.log()).contains("the VM of this job ended");
    }

    @Test
    void whileTheLastWordsOfADeadVmAreWritten() throws IOException {
        CompletionStage<Ran> run = running();
        gitlab.fault = call -> call.equals("PATCH 7") && gitlab.count(call) <= 2 ? 503 : null;
        vm.die();
        assertThat(get(run).end()).isEqualTo(End.VM_LOST);
        assertThat(gitlab.log()).contains("the VM of this job ended");
    }

    @Test
    void aLogThatCannotBeWrittenKeepsNoJobFromBeingEnded() throws IOException {
        CompletionStage<Ran> run = running();
        gitlab.fault = call -> call.equals("PATCH 7") ? 500 : null;
        vm.die();
        assertThat(get(run).end()).isEqualTo(End.VM_LOST);
        assertThat(gitlab.state(7)).isEqualTo("failed");
    }

    @Test
    void whileAVoidClaimIsFailedTheSlotAsksOn() {
        controlPlane.verdict = job -> {
            gitlab.away = job == 6;
            return job == 6 ? FakeControlPlane.answer(Verdict.VOID) : FakeControlPlane.held();
        };
        gitlab.offer(6);
        CompletionStage<Claimed> claim = fixture.broker.claim(vm, job(7));
        until("the claim was void", () -> controlPlane.reports.contains(6L));
        awayForAWhile();
        gitlab.offer(7);
        assertThat(get(claim)).isEqualTo(Claimed.CLAIMED);
        until("the void claim was failed", () -> gitlab.state(6).equals("failed"));
    }
}
