package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** kill -9 of Temporal under running and waiting jobs: they go on where they were. */
final class TemporalRestartedIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void jobsGoOnWhereTheyWere() {
        PipelineRun filling = CLUSTER.push(Played.filling(15));
        filling.awaitAll("running", Duration.ofMinutes(1));
        PipelineRun waiting = CLUSTER.push(Played.job("waiting", 1));
        ClusterExtension.awaitPhase(waiting, "waiting", "queued");
        CLUSTER.cluster().killTemporal();
        CLUSTER.cluster().startTemporal();
        for (PipelineRun run : List.of(filling, waiting)) {
            run.awaitEnd(Duration.ofMinutes(2), () -> {});
            assertThat(run.jobs()).allSatisfy(job -> assertThat(job.status()).isEqualTo("success"));
        }
    }
}
