package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A job that reboots its machine has ended it: a microVM does not come back. */
final class JobRebootsTheVmIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void aJobThatRebootsIsFailedAndNotRunAgain() {
        PipelineRun run = CLUSTER.push("""
                reboot:
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - echo "script begins"
                    - sleep 4
                    - sudo systemctl --force --force reboot
                    - sleep 600
                """);
        ClusterExtension.awaitLog(run, "reboot", "script begins");
        JobState ended = ClusterExtension.awaitStatus(run, "reboot", "failed", Duration.ofSeconds(40));
        assertThat(ended.reason()).isEqualTo("runner_system_failure");
        assertThat(run.log(ended)).contains("the guest was rebooted, which ends its VM");
        assertThat(run.jobs()).hasSize(1);
    }
}
