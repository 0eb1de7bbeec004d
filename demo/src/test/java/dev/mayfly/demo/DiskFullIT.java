package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A host whose disk fills up under its agent: no VM starts there, its agent says why, and the job runs elsewhere. */
final class DiskFullIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    private static void order(int host, String order) {
        CLUSTER.cluster().controlPlane().post("/api/v1/hosts/host-%d/%s".formatted(host, order), Map.of());
    }

    @Test
    void theJobRunsOnAHostThatHasRoom() {
        DemoHosts hosts = CLUSTER.cluster().hosts();
        String state = CLUSTER.cluster().files().state(1).toString();
        hosts.agent(1).kill();
        Shell.run("mount", "-t", "tmpfs", "-o", "size=40g", "tmpfs", state);
        try {
            hosts.startAgent(1);
            Shell.run("mount", "-o", "remount,size=64m", state);
            order(2, "drain");
            PipelineRun run = CLUSTER.push("""
                    wanders:
                      tags: [actuated-1cpu-1gb, shell]
                      script: [echo "runs here"]
                    """);
            Waiting.until(
                    "the agent of host-1 asks for room",
                    Duration.ofMinutes(1),
                    () -> Servers.read(CLUSTER.cluster().files().log("agent-1")).contains("make room"));
            order(2, "undrain");
            JobState ended = ClusterExtension.awaitStatus(run, "wanders", "success", Duration.ofMinutes(3));
            assertThat(Objects.requireNonNull(ended.vm()).host()).isEqualTo("host-2");
        } finally {
            order(2, "undrain");
            hosts.agent(1).kill();
            Shell.run("umount", state);
            hosts.startAgent(1);
        }
    }
}
