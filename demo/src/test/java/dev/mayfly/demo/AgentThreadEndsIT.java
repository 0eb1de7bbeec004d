package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A VM outlives the thread that launched it: what ends a VM is never bound to a thread of the agent. */
@Tag(SystemTests.LONG)
final class AgentThreadEndsIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    /** Java's cached and scheduled pools end idle threads after a minute. */
    private static final int LONGER_THAN_ANY_IDLE_THREAD = 75;

    @Test
    void aJobRunsLongerThanIdleThreadsLive() {
        PipelineRun run = CLUSTER.push("""
                long:
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - echo "script begins"
                    - sleep %d
                    - echo "still here"
                """.formatted(LONGER_THAN_ANY_IDLE_THREAD));
        JobState ended = ClusterExtension.awaitStatus(run, "long", "success", Duration.ofMinutes(4));
        assertThat(run.log(ended)).contains("still here");
    }
}
