package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** PostgreSQL away for some seconds under running and new jobs: nothing is lost. */
final class PostgresRestartedIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void runningAndNewJobsEndGreen() {
        PipelineRun running = CLUSTER.push(Played.job("running", 15));
        ClusterExtension.awaitPhase(running, "running", "running");
        PipelineRun launching = CLUSTER.push(Played.job("launching", 1));
        ClusterExtension.awaitPhase(launching, "launching", "launching");
        CLUSTER.cluster().database().stop();
        Hosts.stayAway(Duration.ofSeconds(5));
        CLUSTER.cluster().database().start();
        for (PipelineRun run : List.of(running, launching)) {
            run.awaitEnd(Duration.ofMinutes(2), () -> {});
            assertThat(run.jobs())
                    .hasSize(1)
                    .allSatisfy(job -> assertThat(job.status()).isEqualTo("success"));
        }
    }
}
