package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * An agent that is stopped and started anew under a running VM, as an upgrade does, with a smaller capacity: the VM runs
 * on, its job ends once, and nothing more is placed there than fits now.
 */
final class AgentReinstalledIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    private static final Duration PATIENCE = Duration.ofMinutes(3);

    @Test
    void itsVmRunsOnAndItsNewCapacityCounts() throws IOException {
        DemoHosts hosts = CLUSTER.cluster().hosts();
        Path config = CLUSTER.cluster().files().agentConfig(1);
        String before = Files.readString(config);
        assertThat(before).contains("cpus: 8");
        Hosts.drain(CLUSTER.cluster(), 2);
        try {
            PipelineRun run = CLUSTER.push("""
                    lasting:
                      tags: [actuated-1cpu-1gb, shell]
                      script: [echo "script begins", sleep 60, echo "script ends"]
                    """);
            JobState running = ClusterExtension.awaitLog(run, "lasting", "script begins\n");
            hosts.agent(1).close();
            Files.writeString(config, before.replace("cpus: 8", "cpus: 1"));
            hosts.startAgent(1);
            Waiting.until(
                    "the smaller capacity is known",
                    Duration.ofSeconds(30),
                    () -> Hosts.shown(CLUSTER.cluster(), 1)
                                    .path("capacity")
                                    .path("milliCpus")
                                    .asInt()
                            == 1000);
            PipelineRun next = CLUSTER.push("""
                    waits:
                      tags: [actuated-1cpu-1gb, shell]
                      script: [echo "has room"]
                    """);
            long waits = ClusterExtension.awaitPhase(next, "waits", "queued").id();
            assertThat(CLUSTER.cluster()
                            .controlPlane()
                            .get("/api/v1/jobs/%d/why".formatted(waits))
                            .path("code")
                            .asText())
                    .isEqualTo("NO_ROOM");

            JobState ended = ClusterExtension.awaitStatus(run, "lasting", "success", PATIENCE);

            assertThat(run.log(ended)).contains("script begins", "script ends");
            assertThat(Objects.requireNonNull(ended.vm()).id())
                    .isEqualTo(Objects.requireNonNull(running.vm()).id());
            assertThat(Database.slotsThatClaimed(CLUSTER.cluster(), run)).isEqualTo(1);
            ClusterExtension.awaitStatus(next, "waits", "success", PATIENCE);
        } finally {
            hosts.agent(1).close();
            Files.writeString(config, before);
            hosts.startAgent(1);
            Hosts.undrain(CLUSTER.cluster(), 2);
        }
    }
}
