package dev.mayfly.workflows;

import dev.mayfly.workflows.FakeFleet.Slot;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.job.CiJob;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;

/**
 * Records the histories that {@link ReplayTest} replays. Not part of a build; run it by name, and look at the difference
 * before you commit it: {@code mvn -pl workflows test -Dtest=HistoryRecorder}.
 */
class HistoryRecorder {

    @Test
    void succeeded() throws IOException {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            rig.succeed(job);
            save(rig, job, "succeeded");
        }
    }

    /** GitLab handed the job to the slot of another one, and that one's job to the slot of this. */
    @Test
    void exchanged() throws IOException {
        try (var rig = new Rig(2)) {
            CiJob first = rig.start(11);
            Slot made1 = rig.claiming(first);
            CiJob second = rig.start(12);
            Slot made2 = rig.claiming(second);
            rig.fleet.claimed(made1.id, second);
            rig.tellAll();
            rig.running(second);
            rig.fleet.claimed(made2.id, first);
            rig.tellAll();
            rig.succeed(first);
            rig.succeed(second);
            save(rig, first, "exchanged");
        }
    }

    /** An administrator cancelled the workflow while the job ran. */
    @Test
    void cancelled() throws IOException {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            rig.cancel(job);
            rig.assertEndsCancelled(job);
            save(rig, job, "cancelled");
        }
    }

    /** The job's user cancelled it before any host had room. */
    @Test
    void endedWhileQueued() throws IOException {
        try (var rig = new Rig(0)) {
            CiJob job = rig.start(11);
            rig.untilLogged("did lookUpJob 11");
            rig.fleet.gitlab.set(job.key(), "canceled", At.NO_RUNNER);
            rig.workflow(job).ended("canceled");
            rig.result(job);
            save(rig, job, "ended-while-queued");
        }
    }

    /** One host refused the VM, the next slot served. */
    @Test
    void givenUp() throws IOException {
        try (var rig = new Rig(1, 1)) {
            rig.fleet.calls.fail("launch", FailureType.HOST_UNFIT.failure("the disk of h1 is full"), 1);
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            rig.succeed(job);
            save(rig, job, "given-up");
        }
    }

    /** The host was lost under the running job. */
    @Test
    void hostLost() throws IOException {
        try (var rig = new Rig(1)) {
            CiJob job = rig.start(11);
            rig.claimedAndRunning(job);
            rig.away("h1");
            rig.host("h1").lost = true;
            rig.workflow(job).lookAgain(null);
            rig.result(job);
            save(rig, job, "host-lost");
        }
    }

    /** The slot that the job left was handed another job while it was being destroyed. */
    @Test
    void reopened() throws IOException {
        try (var rig = new Rig(2)) {
            CiJob first = rig.start(11);
            Slot made1 = rig.claiming(first);
            CiJob second = rig.start(12);
            rig.claiming(second);
            rig.fleet.calls.close("destroy");
            rig.workflow(first).ended("canceled");
            rig.untilLogged("destroy " + made1.id);
            rig.fleet.claimed(made1.id, second);
            rig.tellAll();
            rig.fleet.calls.open("destroy");
            rig.result(first);
            save(rig, first, "reopened");
            rig.succeed(second);
        }
    }

    private static void save(Rig rig, CiJob job, String name) throws IOException {
        String json =
                rig.env.getWorkflowClient().fetchHistory(job.key().workflowId()).toJson(true);
        Files.createDirectories(ReplayTest.HISTORIES);
        Files.writeString(ReplayTest.HISTORIES.resolve(name + ".json"), json + "\n");
    }
}
