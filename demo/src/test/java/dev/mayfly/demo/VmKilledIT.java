package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A VM that dies under its job: the job is failed in GitLab within seconds, and its log says what happened. */
final class VmKilledIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void theJobIsFailedWithinTenSeconds() {
        PipelineRun run = CLUSTER.push("""
                doomed:
                  tags: [actuated-1cpu-1gb, shell]
                  script: [echo "script begins", sleep 600]
                """);
        JobState job = ClusterExtension.awaitLog(run, "doomed", "script begins\n");
        Vms.kill(Objects.requireNonNull(job.vm()).id());
        JobState ended = ClusterExtension.awaitStatus(run, "doomed", "failed", Duration.ofSeconds(10));
        assertThat(ended.reason()).isEqualTo("runner_system_failure");
        assertThat(run.log(ended)).contains("script begins").containsIgnoringCase("VM");
    }
}
