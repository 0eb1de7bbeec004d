package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Both hosts are drained while a VM is launched: its job runs, the next one waits and is told why, until one is undrained. */
final class DrainDuringLaunchIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @AfterEach
    void undrain() {
        Hosts.undrain(CLUSTER.cluster(), 1);
        Hosts.undrain(CLUSTER.cluster(), 2);
    }

    @Test
    void theVmThatIsLaunchedRunsItsJobAndNoOtherIsLaunched() {
        PipelineRun first = CLUSTER.push(Played.job("first", 1));
        ClusterExtension.awaitPhase(first, "first", "launching");
        Hosts.drain(CLUSTER.cluster(), 1);
        Hosts.drain(CLUSTER.cluster(), 2);
        ClusterExtension.awaitStatus(first, "first", "success", Duration.ofMinutes(1));

        PipelineRun second = CLUSTER.push(Played.job("second", 1));
        long job = ClusterExtension.awaitPhase(second, "second", "queued").id();
        assertThat(CLUSTER.cluster()
                        .controlPlane()
                        .get("/api/v1/jobs/%d/why".formatted(job))
                        .path("code")
                        .asText())
                .isEqualTo("NO_HOST_READY");
        Waiting.until(
                "both hosts are drained",
                Duration.ofSeconds(30),
                () -> IntStream.rangeClosed(1, 2)
                        .allMatch(host -> Hosts.shown(CLUSTER.cluster(), host)
                                .path("drained")
                                .asBoolean()));
        Hosts.undrain(CLUSTER.cluster(), 2);
        ClusterExtension.awaitStatus(second, "second", "success", Duration.ofMinutes(1));
        assertThat(CLUSTER.cluster()
                        .controlPlane()
                        .get("/api/v1/jobs/" + job)
                        .path("hostId")
                        .asText())
                .isEqualTo("host-2");
    }
}
