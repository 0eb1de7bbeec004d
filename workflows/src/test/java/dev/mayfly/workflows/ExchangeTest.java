package dev.mayfly.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.FakeFleet.Slot;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobOutcome.Result;
import java.util.List;
import org.junit.jupiter.api.Test;

/** GitLab hands a slot another job than the one it was made for: the slot that claimed a job runs it. */
class ExchangeTest {

    @Test
    void crossedClaimsExchangeSlotsAndEachJobRunsOnce() {
        try (var rig = new Rig(2)) {
            CiJob first = rig.start(11);
            Slot made1 = rig.claiming(first);
            CiJob second = rig.start(12);
            Slot made2 = rig.claiming(second);
            claimed(rig, made1, second);
            assertThat(rig.running(second)).isSameAs(made1);
            claimed(rig, made2, first);
            assertThat(rig.running(first)).isSameAs(made2);

            assertThat(rig.succeed(first).slotId()).isEqualTo(made2.id);
            assertThat(rig.succeed(second).slotId()).isEqualTo(made1.id);
            rig.assertEnds(first, Result.SUCCEEDED);
            rig.assertEnds(second, Result.SUCCEEDED);
            assertEachDoneOnce(rig, "grant", "destroy", "release", "removeRunner");
            assertThat(rig.fleet.slots.values())
                    .allSatisfy(slot -> assertThat(slot.boots).isEqualTo(1));
            assertThat(rig.workflow(first).progress())
                    .containsSubsequence("claiming in " + made1.id, "was handed another job", "running in " + made2.id);
        }
    }

    @Test
    void aSlotThatChangesHandsIsTaggedForTheJobThatWaitsInIt() {
        try (var rig = new Rig(2)) {
            CiJob first = rig.start(Rig.job(11, "actuated-4cpu-8gb", "shell"));
            Slot made1 = rig.claiming(first);
            CiJob second = rig.start(Rig.job(12, "actuated-4cpu-8gb", "shell", "x"));
            Slot made2 = rig.claiming(second);
            claimed(rig, made1, second);
            rig.until(
                    "the runner of " + made2.id + " carries job 11's tags",
                    () -> first.tags().equals(made2.runnerTags));
            rig.running(second);
            assertThat(made1.runnerTags).isEqualTo(first.tags()); // from the claim on it stays as it is
            claimed(rig, made2, first);
            rig.succeed(first);
            rig.succeed(second);
            rig.assertNothingLeft();
        }
    }

    @Test
    void aTaggingForAnotherJobThatLandsLateIsPutRight() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            Slot slot = rig.claiming(job);
            slot.runnerTags = List.of("actuated-16cpu-64gb"); // by a call that its workflow had abandoned
            rig.until(
                    "the runner carries the job's tags again", () -> job.tags().equals(slot.runnerTags));
            rig.claimedAndRunning(job);
            rig.succeed(job);
            rig.assertNothingLeft();
        }
    }

    @Test
    void doubledLateAndReorderedSignalsChangeNothing() {
        try (var rig = new Rig(2)) {
            CiJob first = rig.start(11);
            Slot made1 = rig.claiming(first);
            CiJob second = rig.start(12);
            Slot made2 = rig.claiming(second);
            Holding stale1 = made1.holding();
            Holding stale2 = made2.holding();
            rig.fleet.claimed(made1.id, second);
            for (int i = 0; i < 3; i++) {
                rig.workflow(second).holding(made1.holding(), null);
                rig.workflow(second).holding(stale2, null);
                rig.workflow(first).holding(made2.holding(), null);
                rig.workflow(first).holding(stale1, null);
                rig.workflow(first).holding(stale2, null);
            }
            rig.running(second);
            claimed(rig, made2, first);
            rig.workflow(first).holding(stale1, null);
            rig.succeed(first);
            rig.workflow(second).holding(stale2, null);
            rig.succeed(second);
            rig.assertEnds(first, Result.SUCCEEDED);
            rig.assertEnds(second, Result.SUCCEEDED);
            assertEachDoneOnce(rig, "grant", "destroy", "release", "removeRunner");
            assertThat(rig.fleet.calls.log()).noneMatch(call -> call.startsWith("giveUp"));
        }
    }

    @Test
    void whyTheSlotIsAnotherOneIsToldOnceHoweverOftenItIsHeard() {
        try (var rig = new Rig(2)) {
            CiJob first = rig.start(11);
            Slot made1 = rig.claiming(first);
            CiJob second = rig.start(12);
            Slot made2 = rig.claiming(second);
            String why = "GitLab handed slot %s job 12; job 11, which waited in it, goes on with slot %s"
                    .formatted(made1.id, made2.id);
            rig.fleet.claimed(made1.id, second);
            rig.workflow(first).holding(made2.holding(), why);
            rig.workflow(first).lookAgain("one | two\nthree");
            claimed(rig, made2, first);
            rig.running(first);
            rig.workflow(first).holding(made2.holding(), why);
            rig.workflow(first).lookAgain("one | two\nthree");
            rig.running(second);
            rig.succeed(second);
            rig.succeed(first);
            assertThat(rig.workflow(first).progress())
                    .containsOnlyOnce(why)
                    .containsOnlyOnce("one \\| two three |")
                    .containsSubsequence("claiming in " + made1.id, why, "running in " + made2.id);
        }
    }

    @Test
    void anExchangeWithoutAnySignalIsFoundOut() {
        try (var rig = new Rig(2)) {
            CiJob first = rig.start(11);
            Slot made1 = rig.claiming(first);
            CiJob second = rig.start(12);
            Slot made2 = rig.claiming(second);
            rig.fleet.claimed(made1.id, second);
            assertThat(rig.running(second)).isSameAs(made1);
            rig.fleet.claimed(made2.id, first);
            rig.succeed(first);
            rig.succeed(second);
            rig.assertEnds(first, Result.SUCCEEDED);
            rig.assertEnds(second, Result.SUCCEEDED);
        }
    }

    @Test
    void aJobThatWasQueuedRunsInTheSlotThatClaimedItAndTheOtherGoesBackToTheQueue() {
        try (var rig = new Rig(1)) {
            CiJob first = rig.start(11);
            Slot only = rig.claiming(first);
            CiJob second = rig.start(12);
            rig.untilTold(second, "queued");
            claimed(rig, only, second);
            assertThat(rig.running(second)).isSameAs(only);
            rig.untilTold(first, "queued");
            rig.succeed(second);
            Slot next = rig.claimedAndRunning(first); // once room is free again
            assertThat(next).isNotSameAs(only);
            rig.succeed(first);
            rig.assertEnds(first, Result.SUCCEEDED);
            rig.assertEnds(second, Result.SUCCEEDED);
        }
    }

    @Test
    void aSlotUnderDismantlingIsReopenedByAClaimAndTheFormerSlotGoesInstead() {
        try (var rig = new Rig(2)) {
            CiJob first = rig.start(11);
            Slot made1 = rig.claiming(first);
            CiJob second = rig.start(12);
            Slot made2 = rig.claiming(second);
            rig.fleet.calls.close("destroy");
            rig.workflow(first).ended("canceled");
            rig.untilLogged("destroy " + made1.id);
            claimed(rig, made1, second); // the poll brought a job while it was being ended
            rig.fleet.calls.open("destroy");

            assertThat(rig.running(second)).isSameAs(made1);
            assertThat(rig.result(first).result()).isEqualTo(Result.ENDED_IN_GITLAB);
            assertThat(made2.released).isTrue();
            assertThat(made1.vmUp).isTrue();
            rig.succeed(second);
            rig.assertEnds(first, Result.ENDED_IN_GITLAB);
            rig.assertEnds(second, Result.SUCCEEDED);
            assertThat(rig.workflow(first).progress()).contains(made1.id + " was handed another job meanwhile");
        }
    }

    @Test
    void aJobClaimedBeforeItsOwnRunnerWasEnsuredRunsAtOnce() {
        try (var rig = new Rig(2)) {
            CiJob first = rig.start(11);
            Slot made1 = rig.claiming(first);
            rig.fleet.calls.close("ensureRunner");
            CiJob second = rig.start(12);
            rig.untilLogged("ensureRunner k3x9p-2");
            claimed(rig, made1, second);
            assertThat(rig.running(second)).isSameAs(made1);
            rig.fleet.calls.open("ensureRunner");
            claimed(rig, rig.claiming(first), first);
            rig.succeed(first);
            rig.succeed(second);
            rig.assertNothingLeft();
        }
    }

    @Test
    void aJobWithoutOurTagsRunsInTheSlotThatGitLabHandedItToAndIsNeverQueued() {
        try (var rig = new Rig(1)) {
            CiJob ours = rig.start(12);
            Slot slot = rig.claiming(ours);
            CiJob foreign = foreign(11);
            rig.fleet.claimed(slot.id, foreign);
            rig.start(foreign); // its workflow comes from the claim
            assertThat(rig.running(foreign)).isSameAs(slot);
            rig.succeed(foreign);
            rig.assertNothingForbidden();
            rig.claimedAndRunning(ours);
            rig.succeed(ours);
            rig.assertEnds(foreign, Result.SUCCEEDED);
            rig.assertEnds(ours, Result.SUCCEEDED);
            assertThat(rig.fleet.slots.values())
                    .allSatisfy(made -> assertThat(made.maker).isEqualTo(ours));
        }
    }

    @Test
    void aVmThatDiesUnderACrossedClaimFailsOnlyItsOwnJob() {
        try (var rig = new Rig(2)) {
            CiJob first = rig.start(11);
            Slot made1 = rig.claiming(first);
            CiJob second = rig.start(12);
            Slot made2 = rig.claiming(second);
            claimed(rig, made1, second);
            claimed(rig, made2, first);
            rig.running(second);
            rig.running(first);
            rig.fleet.gitlab.set(second.key(), "failed", At.OUR_RUNNER); // the broker spoke for the dead VM
            rig.fleet.runEnds(made1.id, Ran.End.VM_LOST);
            assertThat(rig.result(second).result()).isEqualTo(Result.VM_LOST);
            assertThat(made2.vmUp).isTrue();
            rig.succeed(first);
            rig.assertEnds(second, Result.VM_LOST);
            rig.assertEnds(first, Result.SUCCEEDED);
        }
    }

    /** GitLab hands the slot this job, and both workflows are told, as the outbox does. */
    private static void claimed(Rig rig, Slot slot, CiJob job) {
        rig.fleet.claimed(slot.id, job);
        rig.tellAll();
    }

    private static CiJob foreign(long id) {
        CiJob job = Rig.job(id, "shell");
        return new CiJob(
                job.key(),
                job.projectPath(),
                job.name(),
                job.stage(),
                job.ref(),
                job.sha(),
                job.pipelineId(),
                job.webUrl(),
                job.user(),
                job.tags(),
                null,
                Executor.SHELL,
                List.of());
    }

    private static void assertEachDoneOnce(Rig rig, String... calls) {
        List<String> slots = List.copyOf(rig.fleet.slots.keySet());
        for (String call : calls) {
            assertThat(rig.fleet.calls.log())
                    .filteredOn(entry -> entry.startsWith(call + " "))
                    .containsExactlyInAnyOrderElementsOf(
                            slots.stream().map(slot -> call + " " + slot).toList());
        }
    }
}
