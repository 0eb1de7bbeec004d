package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A job of no length ends once and green, whether GitLab commits jobs in two phases or runs them as they are handed out. */
@Tag(SystemTests.LONG)
final class TwoPhaseShortJobIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @RegisterExtension
    static final ClusterExtension OLD = ClusterExtension.realVmsOnOldGitLab();

    private static final String SHORT = """
                short:
                  parallel: 3
                  tags: [actuated-1cpu-1gb, shell]
                  script: ["true"]
                """;

    @Test
    void withTwoPhaseCommit() {
        endsGreen(CLUSTER.push(SHORT));
    }

    @Test
    void onAnOldGitLab() {
        endsGreen(OLD.push(SHORT));
    }

    private static void endsGreen(PipelineRun run) {
        run.awaitEnd(Duration.ofMinutes(5), () -> {});
        assertThat(run.jobs())
                .hasSize(3)
                .allSatisfy(job -> assertThat(job.status()).isEqualTo("success"));
    }
}
