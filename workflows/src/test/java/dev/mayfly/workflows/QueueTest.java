package dev.mayfly.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome.Result;
import io.temporal.failure.ApplicationFailure;
import org.junit.jupiter.api.Test;

/** No host has room: the job waits, and runs as soon as one has. */
class QueueTest {

    @Test
    void roomIsFoundBySignal() {
        try (var rig = new Rig(1)) {
            CiJob first = rig.start(11);
            rig.claimedAndRunning(first);
            CiJob second = rig.start(12);
            rig.untilTold(second, "queued");
            assertThat(rig.fleet.slots).hasSize(1);
            rig.succeed(first);
            rig.workflow(second).lookAgain(null); // as the dispatcher's outbox row does
            rig.claimedAndRunning(second);
            rig.succeed(second);
            rig.assertEnds(first, Result.SUCCEEDED);
            rig.assertEnds(second, Result.SUCCEEDED);
            assertThat(rig.fleet.notesOf(second))
                    .containsExactly("queued", "launching", "claiming", "running", "dismantling", "done");
        }
    }

    @Test
    void roomIsFoundWithoutAnySignal() {
        try (var rig = new Rig(1)) {
            rig.host("h1").room = 0;
            CiJob job = rig.start(11);
            rig.untilTold(job, "queued");
            rig.untilLogged("did hold 11", 2);
            rig.host("h1").room = 1;
            rig.claimedAndRunning(job);
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }

    @Test
    void whyItWaitsIsToldAsItIsNow() {
        try (var rig = new Rig(0)) {
            CiJob job = rig.start(11);
            rig.untilTold(job, "waits: no room");
            rig.fleet.why = "2 jobs | are before it";
            rig.untilTold(job, "waits: 2 jobs \\| are before it");
            assertThat(rig.workflow(job).progress()).doesNotContain("no room");
            rig.host("h1").room = 1;
            rig.claimedAndRunning(job);
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }

    @Test
    void aJobWaitsOnWhenNobodyCanSayWhy() {
        try (var rig = new Rig(0)) {
            rig.fleet.calls.failAlways("whyWaiting", ApplicationFailure.newFailure("no database", "SQL"));
            CiJob job = rig.start(11);
            rig.untilTold(job, "queued");
            rig.untilLogged("whyWaiting 11", 2);
            rig.host("h1").room = 1;
            rig.claimedAndRunning(job);
            assertThat(rig.needsAttention(job)).isFalse();
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }

    @Test
    void aCancelWithoutAnyWebhookIsFoundOutInTheQueue() {
        try (var rig = new Rig(0)) {
            CiJob job = rig.start(11);
            rig.untilTold(job, "queued");
            rig.fleet.gitlab.set(job.key(), "canceled", At.NO_RUNNER);
            rig.assertEnds(job, Result.ENDED_IN_GITLAB);
            assertThat(rig.fleet.slots).isEmpty();
        }
    }

    @Test
    void anAbsentDatabaseDelaysAJobAndPeopleNeedNotCare() {
        try (var rig = new Rig(1)) {
            rig.fleet.calls.fail("hold", ApplicationFailure.newFailure("no database", "SQL"), 3);
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            assertThat(rig.needsAttention(job)).isFalse();
            rig.succeed(job);
            rig.assertEnds(job, Result.SUCCEEDED);
        }
    }
}
