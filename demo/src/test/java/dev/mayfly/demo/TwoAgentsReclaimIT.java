package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import dev.mayfly.demo.Report.VmReport;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an agent cleans up at its start is its own: the VM of another agent on the same machine goes on. */
@Tag(SystemTests.LONG)
final class TwoAgentsReclaimIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void restartingOneAgentLeavesTheOthersVmAlone() {
        // Half a host each, so that they land on both hosts; one is left without an agent until its VM has died.
        PipelineRun run = CLUSTER.push("""
                pair:
                  parallel: 2
                  tags: [actuated-5cpu-2gb, shell]
                  script:
                    - echo "script begins"
                    - for i in $(seq 45); do echo "line $i"; sleep 1; done
                """);
        JobState first = ClusterExtension.awaitLog(run, "pair 1/2", "line 2\n");
        JobState second = ClusterExtension.awaitLog(run, "pair 2/2", "line 2\n");
        VmReport dying = Objects.requireNonNull(first.vm());
        VmReport other = Objects.requireNonNull(second.vm());
        assertThat(dying.host()).isNotEqualTo(other.host());
        ServerProcess agent = CLUSTER.cluster().hosts().agent(Hosts.number(dying.host()));
        agent.kill();
        Vms.kill(dying.id());
        CLUSTER.cluster().hosts().startAgent(Hosts.number(dying.host()));
        ClusterExtension.awaitStatus(run, "pair 1/2", "failed", Duration.ofMinutes(1));
        assertThat(Vms.isRunning(other.id())).isTrue();
        JobState ended = ClusterExtension.awaitStatus(run, "pair 2/2", "success", Duration.ofMinutes(2));
        assertThat(run.log(ended)).contains("line 45\n");
    }
}
