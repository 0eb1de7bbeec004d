package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A control plane that is away for longer than the lease: running jobs end green meanwhile, and their hosts are not
 * counted as lost for it. */
@Tag(SystemTests.LONG)
final class ControlPlaneAwayIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void runningJobsEndGreenWithoutIt() {
        PipelineRun run = CLUSTER.push(Played.job("lonely", 20));
        ClusterExtension.awaitPhase(run, "lonely", "running");
        CLUSTER.cluster().killControlPlane();
        try {
            // GitLab's own word: ours is away.
            Waiting.until(
                    "GitLab has the job as a success",
                    Duration.ofMinutes(1),
                    () -> run.statusInGitLab("lonely").equals("success"));
            Hosts.stayAway(ClusterExtension.LOST_AFTER);
        } finally {
            CLUSTER.cluster().startApi();
        }
        ClusterExtension.awaitPhase(run, "lonely", "done");
        assertThat(run.jobs()).hasSize(1);
    }
}
