package dev.mayfly.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.FakeFleet.Slot;
import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobOutcome.Result;
import io.temporal.client.WorkflowStub;
import org.junit.jupiter.api.Test;

/** The job ends, or a workflow does, and nobody of ours had a hand in it. */
class EndedElsewhereTest {

    @Test
    void endedBeforeItsVmWasReady() {
        try (var rig = new Rig(1)) {
            rig.fleet.calls.close("launch");
            CiJob job = rig.start(11);
            rig.untilLogged("launch k3x9p-1");
            rig.fleet.gitlab.set(job.key(), "failed", At.NO_RUNNER);
            rig.workflow(job).ended("failed");
            rig.untilLogged("did destroy k3x9p-1");
            rig.fleet.calls.open("launch"); // meets the tombstone
            assertThat(rig.assertEnds(job, Result.FAILED).detail()).isEqualTo("GitLab says failed");
            assertThat(rig.fleet.slot("k3x9p-1").boots).isZero();
            assertThat(rig.fleet.calls.log()).noneMatch(call -> call.startsWith("claim"));
        }
    }

    @Test
    void theWebhookOfTheEndComesBeforeTheFirstStep() {
        try (var rig = new Rig(1)) {
            CiJob job = Rig.job(11);
            CiJobWorkflow workflow = rig.toStart(job);
            WorkflowStub.fromTyped(workflow).signalWithStart("ended", new Object[] {"canceled"}, new Object[] {job});
            rig.assertEnds(job, Result.ENDED_IN_GITLAB);
            assertThat(rig.fleet.slots).isEmpty();
            assertThat(rig.fleet.notesOf(job)).containsExactly("dismantling", "done");
        }
    }

    @Test
    void theFirstWordOfAnEndStands() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.claiming(job);
            rig.fleet.calls.close("leave");
            rig.workflow(job).ended("canceled");
            rig.workflow(job).ended("success");
            rig.workflow(job).ended("canceled");
            rig.fleet.calls.open("leave");
            assertThat(rig.assertEnds(job, Result.ENDED_IN_GITLAB).detail()).isEqualTo("GitLab says canceled");
        }
    }

    @Test
    void anEndWithoutAnyWebhookIsFoundOut() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claiming(job);
            rig.fleet.gitlab.set(job.key(), "gone", At.NO_RUNNER); // its project was deleted
            JobOutcome outcome = rig.assertEnds(job, Result.ENDED_IN_GITLAB);
            assertThat(outcome).isEqualTo(new JobOutcome(Result.ENDED_IN_GITLAB, slot.id, "GitLab says gone"));
        }
    }

    @Test
    void aRunnerOfSomebodyElseTookTheJob() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.claiming(job);
            rig.fleet.gitlab.set(job.key(), "running", At.FOREIGN_RUNNER);
            rig.assertEnds(job, Result.TAKEN_ELSEWHERE);
        }
    }

    @Test
    void runningAtARunnerOfOursIsNoEnd() {
        try (var rig = new Rig(2)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claiming(job);
            rig.fleet.gitlab.set(job.key(), "running", At.OUR_RUNNER); // the claim's report is still on its way
            rig.untilLogged("did lookUpJob 11", 2);
            assertThat(rig.fleet.calls.log()).doesNotContain("leave 11");
            rig.fleet.claimed(slot.id, job);
            rig.running(job);
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }

    @Test
    void terminatedByHandAndStartedAgainItGoesOnInItsSlot() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claimedAndRunning(job);
            rig.stub(job).terminate("by hand");
            rig.start(job);
            rig.untilLogged("run " + slot.id, 2);
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
            assertThat(rig.fleet.slots).hasSize(1);
            assertThat(slot.boots).isEqualTo(1);
        }
    }

    @Test
    void terminatedWhileDismantlingAndStartedAgainItRemovesWhatIsLeft() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claimedAndRunning(job);
            rig.fleet.calls.close("destroy");
            rig.fleet.gitlab.set(job.key(), "canceled", At.NO_RUNNER);
            rig.workflow(job).ended("canceled");
            rig.untilLogged("destroy " + slot.id);
            rig.stub(job).terminate("by hand");
            rig.fleet.calls.open("destroy");
            rig.start(job);
            rig.assertEnds(job, Result.ENDED_IN_GITLAB);
        }
    }
}
