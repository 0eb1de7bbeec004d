package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** kill -9 of the control plane in each phase of a job: the job goes on and ends green once it is back. */
final class ControlPlaneKilledIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @Test
    void whileAJobIsQueued() {
        PipelineRun blocker = CLUSTER.push(Played.filling(15));
        blocker.awaitAll("running", PATIENCE);
        PipelineRun run = CLUSTER.push(Played.job("queued", 1));
        ClusterExtension.awaitPhase(run, "queued", "queued");
        endsGreenAfterACrash(run);
        blocker.awaitEnd(PATIENCE, () -> {});
    }

    @Test
    void whileItsVmIsLaunched() {
        PipelineRun run = CLUSTER.push(Played.job("launching", 1));
        ClusterExtension.awaitPhase(run, "launching", "launching");
        endsGreenAfterACrash(run);
    }

    @Test
    void whileItWaitsForGitLabToHandItOver() {
        try (GitLabFaults faults = GitLabFaults.in(CLUSTER.cluster())) {
            faults.answer(502, "POST", "/api/v4/jobs/request");
            PipelineRun run = CLUSTER.push(Played.job("claiming", 1));
            ClusterExtension.awaitPhase(run, "claiming", "claiming");
            restartControlPlane();
            faults.none();
            endsGreen(run);
        }
    }

    @Test
    void whileItRuns() {
        PipelineRun run = CLUSTER.push(Played.job("running", 20));
        ClusterExtension.awaitPhase(run, "running", "running");
        endsGreenAfterACrash(run);
    }

    @Test
    void whileItsVmIsDismantled() {
        try (GitLabFaults faults = GitLabFaults.in(CLUSTER.cluster())) {
            faults.answer(502, "DELETE", "/api/v4/runners");
            PipelineRun run = CLUSTER.push(Played.job("dismantling", 1));
            ClusterExtension.awaitPhase(run, "dismantling", "dismantling");
            restartControlPlane();
            faults.none();
            endsGreen(run);
        }
    }

    private static void endsGreenAfterACrash(PipelineRun run) {
        restartControlPlane();
        endsGreen(run);
    }

    private static void restartControlPlane() {
        CLUSTER.cluster().killControlPlane();
        CLUSTER.cluster().startApi();
    }

    private static void endsGreen(PipelineRun run) {
        run.awaitEnd(PATIENCE, () -> {});
        assertThat(run.jobs())
                .hasSize(1)
                .allSatisfy(job -> assertThat(job.status()).isEqualTo("success"));
    }
}
