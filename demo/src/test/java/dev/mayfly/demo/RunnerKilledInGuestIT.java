package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A job that kills its own runner is failed, for nothing else would ever end it. */
final class RunnerKilledInGuestIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void aJobWhoseRunnerIsGoneIsFailed() {
        PipelineRun run = CLUSTER.push("""
                rebel:
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - echo "script begins"
                    - sudo pkill -9 -f run-single
                    - sleep 600
                """);
        JobState ended = ClusterExtension.awaitStatus(run, "rebel", "failed", Duration.ofMinutes(4));
        assertThat(ended.reason()).isEqualTo("runner_system_failure");
        assertThat(run.log(ended)).contains("the runner in the VM ended by signal 9");
        assertThat(ClusterExtension.timeOf(ended)).isLessThan(Duration.ofSeconds(40));
    }
}
