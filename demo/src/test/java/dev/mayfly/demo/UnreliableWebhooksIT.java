package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A pipeline of many parallel jobs, of whose webhooks each tenth is lost, each tenth comes twice, and all come in any order:
 * each job runs once all the same. There are 200 with {@code mayfly.all}, else 40.
 */
final class UnreliableWebhooksIT {

    private static final int JOBS = Boolean.getBoolean("mayfly.all") ? 200 : 40;

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @AfterEach
    void sendWebhooksAsGitLabDoes() {
        GitLabFaults.in(CLUSTER.cluster()).none();
    }

    @Test
    void eachOfManyJobsRunsOnce() {
        GitLabFaults.in(CLUSTER.cluster()).unreliableWebhooks();
        PipelineRun run = CLUSTER.push("""
                many:
                  parallel: %d
                  tags: [actuated-0.5cpu-512mb, shell]
                  script: [echo played]
                """.formatted(JOBS));
        run.awaitEnd(Duration.ofMinutes(5), () -> {});

        assertThat(run.jobs())
                .hasSize(JOBS)
                .allSatisfy(job -> assertThat(job.status()).isEqualTo("success"));
        assertThat(Database.slotsThatClaimed(CLUSTER.cluster(), run)).isEqualTo(JOBS);
    }
}
