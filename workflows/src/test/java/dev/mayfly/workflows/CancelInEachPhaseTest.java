package dev.mayfly.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome.Result;
import io.temporal.failure.ApplicationFailure;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A job is cancelled at every point of its life: by its user in GitLab, and by an administrator in Temporal. */
class CancelInEachPhaseTest {

    /** Where the job stands when it is cancelled. */
    enum Phase {
        QUEUED {
            @Override
            CiJob reach(Rig rig) {
                CiJob job = rig.start(11);
                rig.untilTold(job, "queued");
                return job;
            }
        },
        LAUNCHING {
            @Override
            CiJob reach(Rig rig) {
                rig.fleet.calls.close("launch");
                CiJob job = rig.start(11);
                rig.untilLogged("launch k3x9p-1");
                return job;
            }
        },
        REGISTERING {
            @Override
            CiJob reach(Rig rig) {
                rig.fleet.calls.close("ensureRunner");
                CiJob job = rig.start(11);
                rig.untilLogged("ensureRunner k3x9p-1");
                return job;
            }
        },
        CLAIMING {
            @Override
            CiJob reach(Rig rig) {
                CiJob job = rig.start(11);
                rig.claiming(job);
                return job;
            }
        },
        RUNNING {
            @Override
            CiJob reach(Rig rig) {
                CiJob job = rig.start(11);
                rig.claimedAndRunning(job);
                return job;
            }
        };

        abstract CiJob reach(Rig rig);
    }

    @ParameterizedTest
    @EnumSource
    void byItsUser(Phase phase) {
        try (var rig = new Rig(phase == Phase.QUEUED ? 0 : 1)) {
            CiJob job = phase.reach(rig);
            rig.fleet.gitlab.set(job.key(), "canceled", At.NO_RUNNER);
            rig.workflow(job).ended("canceled");
            rig.untilLogged("did leave 11");
            rig.fleet.calls.openAll();
            assertThat(rig.assertEnds(job, Result.ENDED_IN_GITLAB).detail()).isEqualTo("GitLab says canceled");
            assertThat(rig.fleet.calls.log()).doesNotContain("cancelJob 11");
            assertThat(rig.fleet.slots).hasSize(phase == Phase.QUEUED ? 0 : 1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void byAnAdministrator(Phase phase) {
        try (var rig = new Rig(phase == Phase.QUEUED ? 0 : 1)) {
            CiJob job = phase.reach(rig);
            rig.cancel(job);
            rig.untilLogged("did leave 11");
            rig.fleet.calls.openAll();
            rig.assertEndsCancelled(job);
            assertThat(rig.fleet.gitlab.get(job.key()).status()).isEqualTo("canceled");
            // GitLab would show a job as failed whose VM went first
            assertThat(rig.fleet.calls.log()).containsSubsequence("did cancelJob 11", "leave 11");
        }
    }

    @Test
    void whileDismantlingACancelChangesNothingForTheJob() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.fleet.calls.close("destroy");
            rig.fleet.runEnds(rig.claimedAndRunning(job).id, Ran.End.SUCCEEDED);
            rig.untilLogged("destroy k3x9p-1");
            rig.cancel(job);
            rig.fleet.calls.open("destroy");
            rig.assertClosesAsCancelled(job, Result.SUCCEEDED);
            assertThat(rig.fleet.calls.log()).doesNotContain("cancelJob 11");
        }
    }

    @Test
    void anAbsentGitLabHoldsUpNoCancelAndNoCapacity() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            rig.fleet.calls.failAlways("cancelJob", FailureType.GITLAB_UNAVAILABLE.failure("GitLab answered 503"));
            rig.fleet.calls.failAlways("removeRunner", FailureType.GITLAB_UNAVAILABLE.failure("GitLab answered 503"));
            rig.cancel(job);
            rig.untilLogged("did release k3x9p-1");
            assertThat(rig.fleet.slot("k3x9p-1").tombstone).isTrue();
            assertThat(rig.fleet.slot("k3x9p-1").runnerTags).isNotNull();
            rig.fleet.calls.mend("cancelJob");
            rig.fleet.calls.mend("removeRunner");
            rig.assertEndsCancelled(job);
            assertThat(rig.fleet.gitlab.get(job.key()).status()).isEqualTo("canceled");
        }
    }

    @Test
    void anAbsentDatabaseDelaysACancelAndLosesNothing() {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            for (String call : List.of("hold", "leave", "toDismantle", "release", "note dismantling")) {
                rig.fleet.calls.failAlways(call, ApplicationFailure.newFailure("no database", "SQL"));
            }
            rig.cancel(job);
            rig.untilLogged("leave 11", 2);
            rig.fleet.calls.openAll();
            rig.assertEndsCancelled(job);
        }
    }
}
