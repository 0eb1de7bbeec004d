package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** GitLab hands a runner also jobs with fewer tags: a bare shell job that meets our runner first is run in that VM, and
 * the job that the VM was made for gets another. */
final class ForeignShellJobIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void aBareShellJobIsRunAndOursGetsAnotherVm() {
        PipelineRun run = CLUSTER.push("""
                foreign:
                  tags: [shell]
                  script: [echo "ran in $(hostname)"]
                ours:
                  tags: [actuated-1cpu-1gb, shell]
                  script: [echo "ran in $(hostname)"]
                """);
        run.awaitEnd(Duration.ofMinutes(5), () -> {});
        JobState foreign = run.job("foreign");
        JobState ours = run.job("ours");
        assertThat(foreign.status()).isEqualTo("success");
        assertThat(ours.status()).isEqualTo("success");
        assertThat(ran(run, foreign)).isNotEqualTo(ran(run, ours));
        assertThat(ran(run, ours))
                .isEqualTo(Vms.hostName(Objects.requireNonNull(ours.vm()).id()));
    }

    private static String ran(PipelineRun run, JobState job) {
        return ClusterExtension.inLog(run, job, "ran in (\\S+)");
    }
}
