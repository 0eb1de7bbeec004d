package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** GitLab that is down when a job is cleaned up: its capacity is free meanwhile, and the runner is deleted once GitLab
 * is back. */
final class GitLabDownAtCleanupIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void capacityIsFreeAndTheRunnerIsDeletedLater() {
        try (GitLabFaults faults = GitLabFaults.in(CLUSTER.cluster())) {
            faults.answer(502, "DELETE", "/api/v4/runners");
            PipelineRun run = CLUSTER.push(Played.job("stuck", 1));
            ClusterExtension.awaitPhase(run, "stuck", "dismantling");
            Waiting.until(
                    "the slot's capacity is free",
                    Duration.ofSeconds(30),
                    () -> Database.count(CLUSTER.cluster(), "SELECT count(*) FROM slot WHERE released_at IS NULL")
                            == 0);
            assertThat(CLUSTER.cluster().gitlabUser().runnersInAll()).isEqualTo(1);
            faults.none();
            ClusterExtension.awaitPhase(run, "stuck", "done");
        }
        assertThat(CLUSTER.cluster().gitlabUser().runnersInAll()).isZero();
    }
}
