package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import dev.mayfly.demo.Report.VmReport;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A host that is rebooted under its job: everything on tmpfs is gone with it, the claim too, so the control plane speaks. */
@Tag(SystemTests.LONG)
final class HostRebootedIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void itsJobIsFailedOnceTheHostIsBackWithoutIt() {
        PipelineRun run = CLUSTER.push("""
                unlucky:
                  tags: [actuated-1cpu-1gb, shell]
                  script: [echo "script begins", sleep 600]
                """);
        JobState job = ClusterExtension.awaitLog(run, "unlucky", "script begins\n");
        VmReport vm = Objects.requireNonNull(job.vm());
        int host = Hosts.number(vm.host());
        CLUSTER.cluster().hosts().agent(host).kill();
        // Its guard and its VMM.
        Processes.naming("/" + vm.id() + "/").forEach(ProcessHandle::destroyForcibly);
        Servers.deleteTree(CLUSTER.cluster().network().runFolder().resolve(vm.host()));
        CLUSTER.cluster().hosts().startAgent(host);
        JobState ended = ClusterExtension.awaitStatus(run, "unlucky", "failed", Duration.ofMinutes(1));
        assertThat(ended.reason()).isEqualTo("runner_system_failure");
        assertThat(run.log(ended)).contains("script begins", "its VM is gone");
        assertThat(run.jobs()).hasSize(1);
    }
}
