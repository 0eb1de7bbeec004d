package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** GitLab sends a webhook twice now and then: the job still has one workflow and runs once. */
final class WebhookDuplicatedIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void aJobWhoseWebhooksAllComeTwiceRunsOnce() {
        GitLabFaults faults = GitLabFaults.in(CLUSTER.cluster()).allWebhooks("double");
        try (faults) {
            PipelineRun run = CLUSTER.push("""
                    once:
                      tags: [actuated-1cpu-1gb, shell]
                      script: [echo played]
                    """);
            JobState job = ClusterExtension.awaitStatus(run, "once", "success", Duration.ofMinutes(1));
            assertThat(Database.count(
                            CLUSTER.cluster(), "SELECT count(*) FROM slot WHERE made_for LIKE '%:" + job.id() + "'"))
                    .as("slots made for the job")
                    .isEqualTo(1);
        }
    }
}
