package dev.mayfly.agent.claim;

import static dev.mayfly.agent.claim.ClaimFixture.get;
import static dev.mayfly.agent.claim.ClaimFixture.job;
import static dev.mayfly.agent.claim.ClaimFixture.until;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.journal.DurableFiles;
import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import dev.mayfly.workflows.activity.VmActivities.Ran.End;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import dev.mayfly.workflows.job.Executor;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** What destroy must wait for, and what it is refused for. */
class SettleBeforeDestroyTest extends ClaimTest {

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
    void aJobIsGivenBackThoughGitLabIsAwayAndTheSlotIsGone() throws IOException {
        gitlab.offer(7);
        get(fixture.broker.claim(vm, job(7)));
        gitlab.away = true;
        assertThat(get(fixture.broker.settleBeforeDestroy(vm, 7L))).isEqualTo(Destroyed.DESTROYED);
        fixture.broker.forget(vm.slotId());
        DurableFiles.delete(folder);
        until("GitLab was tried", () -> gitlab.missed.get() >= 3);
        gitlab.away = false;
        until("the job was failed", () -> gitlab.state(7).equals("failed"));
    }

    @Test
    void destroyDoesNotWaitForAGitLabThatIsAway() {
        var claim = fixture.broker.claim(vm, job(7));
        gitlab.away = true;
        until("GitLab was tried", () -> gitlab.missed.get() >= 2);
        assertThat(get(fixture.broker.settleBeforeDestroy(vm, null))).isEqualTo(Destroyed.DESTROYED);
        assertThat(get(claim)).isEqualTo(Claimed.REASSIGNED);
    }
}
