package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A job that its user cancels, in each phase: it never runs afterwards, and everything of it is gone. */
final class CancelInEachPhaseIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @Test
    void whileItIsQueued() {
        PipelineRun blocker = CLUSTER.push(Played.filling(12));
        blocker.awaitAll("running", PATIENCE);
        PipelineRun run = CLUSTER.push(Played.job("queued", 1));
        ClusterExtension.awaitPhase(run, "queued", "queued");
        isGoneAfterCancelling(run, "queued");
        assertThat(run.job("queued").vm()).as("a VM of a job that only waited").isNull();
        blocker.awaitEnd(PATIENCE, () -> {});
    }

    @Test
    void whileItsVmIsLaunched() {
        PipelineRun run = CLUSTER.push(Played.job("launching", 60));
        ClusterExtension.awaitPhase(run, "launching", "launching");
        isGoneAfterCancelling(run, "launching");
    }

    @Test
    void whileItWaitsForGitLabToHandItOver() {
        try (GitLabFaults faults = GitLabFaults.in(CLUSTER.cluster())) {
            faults.answer(502, "POST", "/api/v4/jobs/request");
            PipelineRun run = CLUSTER.push(Played.job("claiming", 60));
            ClusterExtension.awaitPhase(run, "claiming", "claiming");
            isGoneAfterCancelling(run, "claiming");
        }
    }

    @Test
    void whileItRuns() {
        PipelineRun run = CLUSTER.push(Played.job("running", 600));
        ClusterExtension.awaitPhase(run, "running", "running");
        isGoneAfterCancelling(run, "running");
    }

    @Test
    void whilePostgresIsDown() {
        PipelineRun run = CLUSTER.push(Played.job("running", 600));
        ClusterExtension.awaitPhase(run, "running", "running");
        JobState job = run.job("running");
        CLUSTER.cluster().database().stop();
        try {
            run.cancel(job);
            Waiting.until(
                    "GitLab has cancelled the job",
                    PATIENCE,
                    () -> run.statusInGitLab("running").equals("canceled"));
            Hosts.stayAway(Duration.ofSeconds(3));
        } finally {
            CLUSTER.cluster().database().start();
        }
        ClusterExtension.awaitPhase(run, "running", "done");
    }

    private static void isGoneAfterCancelling(PipelineRun run, String name) {
        run.cancel(run.job(name));
        ClusterExtension.awaitPhase(run, name, "done");
        assertThat(run.job(name).status()).isEqualTo("canceled");
        assertThat(CLUSTER.cluster().awaitNothingLeft(PATIENCE).runners()).isZero();
    }
}
