package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import dev.mayfly.demo.Report.VmReport;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An agent that dies and does not come back: the guard kills its VMs, the control plane fails their jobs, and a job
 * that had no VM yet runs on another host. */
@Tag(SystemTests.LONG)
final class AgentGoneForGoodIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void theGuardKillsItsVmsAndTheControlPlaneFailsTheirJobs() {
        PipelineRun run = CLUSTER.push("""
                orphan:
                  tags: [actuated-1cpu-1gb, shell]
                  script: [echo "script begins", sleep 600]
                """);
        JobState job = ClusterExtension.awaitLog(run, "orphan", "script begins\n");
        VmReport vm = Objects.requireNonNull(job.vm());
        int host = Hosts.number(vm.host());
        CLUSTER.cluster().hosts().agent(host).kill();
        try {
            Waiting.until("the guard has killed the VM", Duration.ofMinutes(2), () -> !Vms.isRunning(vm.id()));
            ClusterExtension.awaitStatus(run, "orphan", "failed", Duration.ofMinutes(2));
            PipelineRun next = CLUSTER.push("""
                    elsewhere:
                      tags: [actuated-1cpu-1gb, shell]
                      script: [echo "on another host"]
                    """);
            JobState moved = ClusterExtension.awaitStatus(next, "elsewhere", "success", Duration.ofMinutes(2));
            assertThat(Objects.requireNonNull(moved.vm()).host()).isNotEqualTo(vm.host());
        } finally {
            CLUSTER.cluster().hosts().startAgent(host);
        }
    }
}
