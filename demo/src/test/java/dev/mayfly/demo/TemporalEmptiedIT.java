package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A Temporal that comes back empty looks like a fleet full of orphans: the sweeper holds back, and says why. */
@Tag(SystemTests.LONG)
final class TemporalEmptiedIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void theSweeperHoldsBackUntilAnOperatorSaysSo() {
        DemoCluster cluster = CLUSTER.cluster();
        PipelineRun run = CLUSTER.push(Played.job("survivor", 30));
        ClusterExtension.awaitPhase(run, "survivor", "running");
        cluster.killTemporal();
        cluster.startEmptyTemporal();
        try {
            cluster.killControlPlane();
            cluster.startApi();
            Waiting.until(
                    "the sweeper says that it holds back",
                    Duration.ofMinutes(1),
                    () -> cluster.controlPlane().text("/api/v1/sweeper").contains("sweep --proceed"));
            Waiting.until(
                    "the job ended in GitLab",
                    Duration.ofMinutes(1),
                    () -> run.statusInGitLab("survivor").equals("success"));
            assertThat(cluster.gitlabUser().runnersInAll())
                    .as("nothing was removed")
                    .isEqualTo(1);
        } finally {
            cluster.controlPlane().post("/api/v1/sweeper/proceed", Map.of());
        }
    }
}
