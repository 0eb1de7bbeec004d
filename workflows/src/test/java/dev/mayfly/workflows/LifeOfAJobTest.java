package dev.mayfly.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobOutcome.Result;
import org.junit.jupiter.api.Test;

class LifeOfAJobTest {

    @Test
    void stepsComeInOrderAndNothingIsLeft() {
        try (var rig = new Rig(1)) {
            var job = rig.start(11);
            String slot = rig.claimedAndRunning(job).id;
            assertThat(rig.succeed(job))
                    .isEqualTo(new JobOutcome(Result.SUCCEEDED, slot, "the run ended as SUCCEEDED"));

            assertThat(rig.fleet.calls.log())
                    .containsSubsequence("hold 11", "launch " + slot, "claim " + slot, "run " + slot, "leave 11")
                    .containsSubsequence("leave 11", "toDismantle 11", "destroy " + slot, "release " + slot)
                    .containsSubsequence("did ensureRunner " + slot, "claim " + slot)
                    .containsSubsequence("did destroy " + slot, "removeRunner " + slot)
                    // what is left to dismantle is read again after every step, until there is nothing
                    .filteredOn(call -> !call.endsWith("toDismantle 11"))
                    .doesNotHaveDuplicates();
            rig.assertNothingLeft();
        }
    }

    @Test
    void phasesAreRecordedInOrderWithTheOutcomeLast() {
        try (var rig = new Rig(1)) {
            rig.fleet.calls.close("note launching");
            var job = rig.start(11);
            rig.claimedAndRunning(job);
            assertThat(rig.fleet.notesOf(job)).isEmpty();
            rig.fleet.calls.open("note launching");
            JobOutcome outcome = rig.succeed(job);
            assertThat(rig.fleet.notesOf(job))
                    .containsExactly("launching", "claiming", "running", "dismantling", "done");
            assertThat(rig.fleet.outcomes).containsEntry(job.key(), outcome);
        }
    }

    @Test
    void aFailedJobIsACompletedWorkflow() {
        try (var rig = new Rig(1)) {
            var job = rig.start(11);
            rig.fleet.runEnds(rig.claimedAndRunning(job).id, Ran.End.FAILED);
            assertThat(rig.result(job).result()).isEqualTo(Result.FAILED);
            rig.assertNothingLeft();
        }
    }

    @Test
    void launchAndRunnerOverlap() {
        try (var rig = new Rig(1)) {
            rig.fleet.calls.close("launch");
            var job = rig.start(11);
            rig.untilLogged("did ensureRunner k3x9p-1");
            rig.untilLogged("launch k3x9p-1");
            assertThat(rig.fleet.calls.log()).doesNotContain("did launch k3x9p-1");
            rig.fleet.calls.open("launch");
            rig.claimedAndRunning(job);
            rig.succeed(job);
        }
    }

    @Test
    void theClaimWaitsForTheRunner() {
        try (var rig = new Rig(1)) {
            rig.fleet.calls.close("ensureRunner");
            var job = rig.start(11);
            rig.untilLogged("did launch k3x9p-1");
            rig.untilLogged("lookUpJob 11"); // a whole re-check later
            assertThat(rig.fleet.calls.log()).doesNotContain("claim k3x9p-1");
            rig.fleet.calls.open("ensureRunner");
            rig.claimedAndRunning(job);
            rig.succeed(job);
            rig.assertNothingLeft();
        }
    }

    @Test
    void theStoryReadsFromQueueToEnd() {
        try (var rig = new Rig(1)) {
            var job = rig.start(11);
            rig.claimedAndRunning(job);
            rig.succeed(job);
            String story = rig.workflow(job).progress();
            assertThat(story)
                    .startsWith("**group/app #11 test 4c/8g**")
                    .contains("[job 11 in GitLab](https://gitlab.example/group/app/-/jobs/11)")
                    .containsSubsequence(
                            "launching in k3x9p-1 on h1",
                            "claiming in k3x9p-1 on h1",
                            "running in k3x9p-1 on h1",
                            "dismantling",
                            "succeeded: the run ended as SUCCEEDED");
        }
    }
}
