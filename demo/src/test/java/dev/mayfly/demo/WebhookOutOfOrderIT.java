package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Webhooks overtake each other: what a late one says is no longer true. */
final class WebhookOutOfOrderIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void aJobThatEndedBeforeItsPendingWebhookCameGetsNoVm() {
        GitLabFaults faults = GitLabFaults.in(CLUSTER.cluster()).webhooks("delay", "pending", 4000);
        try (faults) {
            PipelineRun run = CLUSTER.push("""
                    late:
                      tags: [actuated-1cpu-1gb, shell]
                      script: [echo never]
                    """);
            JobState job = run.job("late");
            run.cancel(job);
            String handled =
                    "SELECT count(*) FROM inbox WHERE handled_at IS NOT NULL AND encode(body, 'escape') LIKE '%\""
                            + "build_id\":" + job.id()
                            + ",%' AND encode(body, 'escape') LIKE '%\"build_status\":\"pending\"%'";
            Waiting.until(
                    "the late webhook was handled",
                    Duration.ofSeconds(30),
                    () -> Database.count(CLUSTER.cluster(), handled) == 1);
            assertThat(Database.count(
                            CLUSTER.cluster(), "SELECT count(*) FROM slot WHERE made_for LIKE '%:" + job.id() + "'"))
                    .as("slots made for the job")
                    .isZero();
        }
    }
}
