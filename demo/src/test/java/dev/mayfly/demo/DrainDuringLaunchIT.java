package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Both hosts are drained while a VM is launched: its job runs, the next one waits and is told why, until one is undrained. */
final class DrainDuringLaunchIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    private static JsonNode order(int host, String order) {
        return CLUSTER.cluster().controlPlane().post("/api/v1/hosts/host-%d/%s".formatted(host, order), Map.of());
    }

    @AfterEach
    void undrain() {
        order(1, "undrain");
        order(2, "undrain");
    }

    @Test
    void theVmThatIsLaunchedRunsItsJobAndNoOtherIsLaunched() {
        PipelineRun first = CLUSTER.push(Played.job("first", 1));
        ClusterExtension.awaitPhase(first, "first", "launching");
        order(1, "drain");
        order(2, "drain");
        ClusterExtension.awaitStatus(first, "first", "success", Duration.ofMinutes(1));

        PipelineRun second = CLUSTER.push(Played.job("second", 1));
        long job = ClusterExtension.awaitPhase(second, "second", "queued").id();
        assertThat(CLUSTER.cluster()
                        .controlPlane()
                        .get("/api/v1/jobs/%d/why".formatted(job))
                        .path("code")
                        .asText())
                .isEqualTo("NO_HOST_READY");
        for (int host = 1; host <= 2; host++) {
            String path = "/api/v1/hosts/host-" + host;
            Waiting.until(
                    path + " is drained",
                    Duration.ofSeconds(30),
                    () -> CLUSTER.cluster()
                            .controlPlane()
                            .get(path)
                            .path("drained")
                            .asBoolean());
        }
        order(2, "undrain");
        ClusterExtension.awaitStatus(second, "second", "success", Duration.ofMinutes(1));
        assertThat(CLUSTER.cluster()
                        .controlPlane()
                        .get("/api/v1/jobs/" + job)
                        .path("hostId")
                        .asText())
                .isEqualTo("host-2");
    }
}
