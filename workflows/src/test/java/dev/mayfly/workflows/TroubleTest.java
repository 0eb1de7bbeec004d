package dev.mayfly.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.FakeFleet.Slot;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobOutcome.Result;
import org.junit.jupiter.api.Test;

/** A VM can't be started, dies, or GitLab refuses its runner: the job goes on as well as it can, and says why it waits. */
class TroubleTest {

    @Test
    void aLaunchThatMayPassIsTriedAgainInTheSameSlot() {
        try (var rig = new Rig(1, 1)) {
            rig.fleet.calls.fail("launch", FailureType.LAUNCH_FAILED.failure("the VM on h1 did not answer"), 2);
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            assertThat(rig.fleet.calls.count("launch k3x9p-1")).isEqualTo(3);
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
            assertThat(rig.fleet.slots).hasSize(1);
        }
    }

    @Test
    void aLaunchThatNeverWorksIsGivenUpForAnotherSlot() {
        try (var rig = new Rig(1, 1)) {
            rig.fleet.calls.fail("launch", FailureType.LAUNCH_FAILED.failure("the VM on h1 did not answer"), 3);
            CiJob job = rig.start(11);
            assertThat(rig.claimedAndRunning(job).id).isEqualTo("k3x9p-2");
            rig.untilTold(job, "gives up k3x9p-1 on h1: the VM on h1 did not answer");
            rig.until("the first slot is gone while the job runs", () -> rig.fleet.slot("k3x9p-1").released);
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }

    @Test
    void anUnfitHostIsGivenUpAtOnce() {
        try (var rig = new Rig(1, 1)) {
            rig.fleet.calls.fail("launch", FailureType.HOST_UNFIT.failure("h1's disk is full: free 10 GiB"), 1);
            CiJob job = rig.start(11);
            rig.untilTold(job, "gives up k3x9p-1 on h1: h1's disk is full: free 10 GiB");
            assertThat(rig.needsAttention(job)).isTrue();
            assertThat(rig.claimedAndRunning(job).id).isEqualTo("k3x9p-2");
            assertThat(rig.fleet.calls.count("launch k3x9p-1")).isEqualTo(1);
            assertThat(rig.fleet.calls.log()).contains("giveUp k3x9p-1, unfit: h1's disk is full: free 10 GiB");
            rig.until("nobody is needed any more", () -> !rig.needsAttention(job));
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }

    @Test
    void aFormerEpochIsGivenUp() {
        try (var rig = new Rig(1, 1)) {
            rig.fleet.calls.close("launch");
            CiJob job = rig.start(11);
            rig.untilLogged("launch k3x9p-1");
            rig.host("h1").epoch = 8; // it was LOST and is back
            rig.fleet.calls.open("launch");
            assertThat(rig.claimedAndRunning(job).id).isNotEqualTo("k3x9p-1");
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }

    @Test
    void aVmThatDiesUnservedIsStartedAnewInItsSlot() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claiming(job);
            rig.fleet.vmDies(slot.id);
            rig.until("a second boot", () -> slot.boots == 2);
            rig.claimedAndRunning(job);
            rig.fleet.runEnds(slot.id, Ran.End.VM_DIED_UNSERVED);
            rig.until("a third boot", () -> slot.boots == 3);
            assertThat(rig.running(job)).isSameAs(slot);
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
            assertThat(rig.fleet.calls.log()).doesNotContain("giveUp " + slot.id);
        }
    }

    @Test
    void aSlotWhoseVmAlwaysDiesIsGivenUpBeforeItsClaim() {
        try (var rig = new Rig(1, 1)) {
            CiJob job = rig.start(11);
            Slot first = rig.claiming(job);
            for (int boot = 1; boot <= 3; boot++) {
                int boots = boot;
                rig.until("boot " + boot, () -> first.boots == boots && first.host.isWaited(first.id, false));
                rig.fleet.vmDies(first.id);
            }
            assertThat(rig.claimedAndRunning(job)).isNotSameAs(first);
            rig.untilTold(job, "its VM died 3 times before it was served");
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }

    @Test
    void aSlotWhoseVmAlwaysDiesUnderAClaimFailsTheJobWithTheReason() {
        try (var rig = new Rig(1, 1)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claimedAndRunning(job);
            for (int boot = 1; boot <= 3; boot++) {
                int boots = boot;
                rig.until("boot " + boot, () -> slot.boots == boots && slot.host.isWaited(slot.id, true));
                rig.fleet.runEnds(slot.id, Ran.End.VM_DIED_UNSERVED);
            }
            JobOutcome outcome = rig.assertEnds(job, Result.VM_LOST);
            assertThat(outcome)
                    .isEqualTo(new JobOutcome(Result.VM_LOST, slot.id, "its VM died 3 times before it was served"));
            assertThat(rig.fleet.gitlab.get(job.key()).status()).isEqualTo("failed");
            assertThat(rig.fleet.calls.count("failLostJob 11")).isEqualTo(1);
        }
    }

    @Test
    void aVmThatDiesUnderItsJobEndsTheJob() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claimedAndRunning(job);
            rig.fleet.gitlab.set(job.key(), "failed", At.OUR_RUNNER);
            rig.fleet.runEnds(slot.id, Ran.End.VM_LOST);
            rig.assertEnds(job, Result.VM_LOST);
            assertThat(slot.boots).isEqualTo(1);
        }
    }

    @Test
    void aRunnerThatGitLabRefusesIsToldAndNoVmIsStartedInVain() {
        try (var rig = new Rig(1)) {
            String why = "GitLab refuses to create a runner in group/app: 403; give the token the scope create_runner";
            rig.fleet.calls.failAlways("ensureRunner", FailureType.GITLAB_REFUSED.failure(why));
            CiJob job = rig.start(11);
            rig.untilTold(job, why);
            rig.until("people are asked for", () -> rig.needsAttention(job));
            rig.until("some more tries", () -> rig.fleet.slots.size() >= 3);
            assertThat(rig.fleet.slots.values().stream()
                            .mapToInt(slot -> slot.boots)
                            .sum())
                    .isLessThanOrEqualTo(1);
            rig.fleet.calls.mend("ensureRunner"); // people gave it the scope
            rig.claimedAndRunning(job);
            rig.until("nobody is needed any more", () -> !rig.needsAttention(job));
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }

    @Test
    void anOverloadedGitLabDelaysTheRunnerAndNothingElse() {
        try (var rig = new Rig(1)) {
            rig.fleet.calls.fail("ensureRunner", FailureType.GITLAB_UNAVAILABLE.failure("GitLab answered 429"), 1);
            rig.fleet.calls.fail("ensureRunner", FailureType.GITLAB_UNAVAILABLE.failure("GitLab answered 502"), 2);
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            assertThat(rig.needsAttention(job)).isFalse();
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
            assertThat(rig.fleet.slots).hasSize(1);
            assertThat(rig.fleet.gitlab.runnersCreated).isEqualTo(1);
            assertThat(rig.fleet.calls.count("ensureRunner k3x9p-1")).isEqualTo(4);
        }
    }
}
