package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A pipeline of 200 parallel jobs, of whose webhooks each tenth is lost, each tenth comes twice, and all come in any order:
 * each job runs once all the same.
 */
final class UnreliableWebhooksIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @AfterEach
    void sendWebhooksAsGitLabDoes() {
        GitLabFaults.in(CLUSTER.cluster()).none();
    }

    @Test
    void eachOfTwoHundredJobsRunsOnce() {
        GitLabFaults.in(CLUSTER.cluster()).unreliableWebhooks();
        PipelineRun run = CLUSTER.push("""
                many:
                  parallel: 200
                  tags: [actuated-0.5cpu-512mb, shell]
                  script: [echo played]
                """);
        run.awaitEnd(Duration.ofMinutes(5), () -> {});

        assertThat(run.jobs())
                .hasSize(200)
                .allSatisfy(job -> assertThat(job.status()).isEqualTo("success"));
        assertThat(Database.count(
                        CLUSTER.cluster(),
                        "SELECT count(*) FROM slot WHERE claimed_by IN (%s)"
                                .formatted(run.jobs().stream()
                                        .map(job -> "'" + job.text("id") + "'")
                                        .collect(Collectors.joining(",")))))
                .as("slots that claimed one")
                .isEqualTo(200);
    }
}
