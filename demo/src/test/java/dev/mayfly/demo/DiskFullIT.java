package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A host whose disk fills up under its agent: no VM starts there, its agent says why, and the job runs elsewhere. */
final class DiskFullIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void theJobRunsOnAHostThatHasRoom() {
        DemoHosts hosts = CLUSTER.cluster().hosts();
        String state = CLUSTER.cluster().files().state(1).toString();
        hosts.agent(1).kill();
        Shell.run("mount", "-t", "tmpfs", "-o", "size=40g", "tmpfs", state);
        try {
            hosts.startAgent(1);
            Shell.run("mount", "-o", "remount,size=64m", state);
            Hosts.drain(CLUSTER.cluster(), 2);
            PipelineRun run = CLUSTER.push("""
                    wanders:
                      tags: [actuated-1cpu-1gb, shell]
                      script: [echo "runs here"]
                    """);
            Waiting.until(
                    "the agent of host-1 asks for room",
                    Duration.ofMinutes(1),
                    () -> Servers.read(CLUSTER.cluster().files().log("agent-1")).contains("make room"));
            Hosts.undrain(CLUSTER.cluster(), 2);
            JobState ended = ClusterExtension.awaitStatus(run, "wanders", "success", Duration.ofMinutes(3));
            assertThat(Objects.requireNonNull(ended.vm()).host()).isEqualTo("host-2");
        } finally {
            Hosts.undrain(CLUSTER.cluster(), 2);
            hosts.agent(1).kill();
            Shell.run("umount", state);
            hosts.startAgent(1);
        }
    }
}
