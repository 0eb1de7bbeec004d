package dev.mayfly.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.FakeFleet.Slot;
import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobOutcome.Result;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A host, or the control plane, does not answer: for a while, or for good. */
class HostAwayTest {

    /** Calls that wait on a host are noticed as dead soon. */
    private static final Timeouts SOON = new Timeouts(
            Rig.TIMEOUTS.localHold(),
            Rig.TIMEOUTS.control(),
            Rig.TIMEOUTS.controlRetry(),
            Rig.TIMEOUTS.hostAnswers(),
            Rig.TIMEOUTS.hostReturns(),
            Rig.TIMEOUTS.launch(),
            Rig.TIMEOUTS.destroy(),
            Duration.ofSeconds(2),
            Rig.TIMEOUTS.waiting(),
            Rig.TIMEOUTS.recheck(),
            Rig.TIMEOUTS.patience(),
            Rig.TIMEOUTS.pause());

    @Test
    void beforeTheClaimTheJobTakesAnotherHostAndTheOldSlotGoesWhenItIsBack() {
        try (var rig = new Rig(1, 1)) {
            rig.away("h1");
            CiJob job = rig.start(11);
            Slot second = rig.claimedAndRunning(job);
            assertThat(second.host.id).isEqualTo("h2");
            Slot first = rig.fleet.slot("k3x9p-1");
            rig.untilTold(job, "can't destroy " + first.id + " on h1 yet, trying again");
            assertThat(first.released).isFalse(); // its VM may live
            rig.back("h1");
            rig.until("the old slot is gone, and the job runs on", () -> first.released);
            assertThat(second.vmUp).isTrue();
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
            assertThat(first.tombstone).isTrue();
        }
    }

    @Test
    void goneForGoodBeforeTheClaimFreesTheOldSlotOnceTheHostIsLost() {
        try (var rig = new Rig(1, 1)) {
            rig.away("h1");
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            rig.untilLogged("did hostIsLost h1", 2);
            assertThat(rig.fleet.slot("k3x9p-1").released).isFalse();
            rig.host("h1").lost = true;
            rig.until("the reservation is freed", () -> rig.fleet.slot("k3x9p-1").released);
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }

    @Test
    void goneForGoodUnderAClaimedJobFailsItWithTheReason() {
        try (var rig = new Rig(1, 1)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claimedAndRunning(job);
            rig.away("h1");
            rig.host("h1").lost = true;
            rig.workflow(job).lookAgain(null); // as the lease's loop does
            JobOutcome outcome = rig.assertEnds(job, Result.VM_LOST);
            assertThat(outcome)
                    .isEqualTo(new JobOutcome(
                            Result.VM_LOST, slot.id, "the host h1 was lost under the job: its lease ran out"));
            assertThat(rig.fleet.gitlab.get(job.key()).status()).isEqualTo("failed");
            assertThat(rig.fleet.slots).hasSize(1); // a claimed job never runs twice
        }
    }

    @Test
    void lostWhileADestroyIsOnItsWayToItHoldsUpNoJob() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.fleet.calls.close("destroy");
            rig.fleet.runEnds(rig.claimedAndRunning(job).id, Ran.End.SUCCEEDED);
            rig.untilLogged("destroy k3x9p-1");
            rig.workflow(job).lookAgain(null); // about something else
            rig.untilLogged("did hostIsLost h1");
            assertThat(rig.fleet.slot("k3x9p-1").released).isFalse();
            rig.host("h1").lost = true;
            rig.workflow(job).lookAgain(null); // as the lease's loop does
            assertThat(rig.result(job).result()).isEqualTo(Result.SUCCEEDED);
            assertThat(rig.fleet.slot("k3x9p-1").released).isTrue();
            rig.fleet.calls.open("destroy");
        }
    }

    @Test
    void awayForAWhileUnderARunningJobCostsNothing() {
        try (var rig = new Rig(SOON, 1, 1)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claimedAndRunning(job);
            rig.away("h1");
            rig.back("h1");
            assertThat(rig.running(job)).isSameAs(slot); // the call was delivered again
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
            assertThat(rig.fleet.slots).hasSize(1);
            assertThat(slot.boots).isEqualTo(1);
        }
    }

    @Test
    void awayWhenItIsToServeAClaimedJobIsWaitedFor() {
        try (var rig = new Rig(1, 1)) {
            CiJob first = rig.start(11);
            Slot slot = rig.claiming(first);
            rig.fleet.calls.close("launch");
            CiJob second = rig.start(12);
            rig.untilLogged("launch k3x9p-2");
            rig.away("h1");
            rig.fleet.claimed(slot.id, second); // it had reported the claim before it was killed
            rig.tellAll();
            rig.untilTold(second, "stays with " + slot.id + " on h1, which is claimed");
            assertThat(rig.needsAttention(second)).isTrue();
            rig.fleet.calls.open("launch");
            rig.back("h1");
            assertThat(rig.running(second)).isSameAs(slot);
            rig.claimedAndRunning(first);
            rig.succeed(first);
            rig.succeed(second);
            rig.assertEnds(first, Result.SUCCEEDED);
            rig.assertEnds(second, Result.SUCCEEDED);
        }
    }

    @Test
    void anAgentThatIsRestartedWhileItWaitsForTheClaimIsAskedAgain() {
        try (var rig = new Rig(SOON, 1)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claiming(job);
            rig.away("h1");
            rig.back("h1");
            assertThat(rig.claiming(job)).isSameAs(slot);
            rig.claimedAndRunning(job);
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
            assertThat(slot.boots).isEqualTo(1);
        }
    }

    @Test
    void awayWhileDismantlingDelaysTheEndAndHoldsTheReservation() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claimedAndRunning(job);
            rig.away("h1");
            rig.fleet.gitlab.set(job.key(), "success", At.OUR_RUNNER);
            rig.workflow(job).ended("success");
            rig.untilTold(job, "can't destroy " + slot.id + " on h1 yet");
            assertThat(slot.released).isFalse();
            assertThat(slot.runnerTags).isNotNull();
            rig.back("h1");
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }

    @Test
    void anAbsentControlPlaneCostsARunningJobNothing() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claimedAndRunning(job);
            rig.controlPlaneAway();
            rig.fleet.gitlab.set(job.key(), "success", At.OUR_RUNNER);
            rig.fleet.runEnds(slot.id, Ran.End.SUCCEEDED);
            rig.workflow(job).ended("success");
            rig.controlPlaneBack();
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }
}
