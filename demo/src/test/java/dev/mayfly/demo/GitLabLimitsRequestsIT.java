package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A GitLab that answers 429 and 502 for a while: jobs that run meanwhile and jobs that are pushed meanwhile end as they
 * should. The while is five minutes with {@code mayfly.all}, else half of one.
 */
final class GitLabLimitsRequestsIT {

    private static final Duration WHILE =
            Boolean.getBoolean("mayfly.all") ? Duration.ofMinutes(5) : Duration.ofSeconds(30);

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @AfterEach
    void answerAgain() {
        GitLabFaults.in(CLUSTER.cluster()).none();
    }

    @Test
    void noJobFails() {
        PipelineRun before = CLUSTER.push(Played.job("runs", 5));
        ClusterExtension.awaitPhase(before, "runs", "running");
        long project = CLUSTER.createProject();
        GitLabFaults.in(CLUSTER.cluster()).noApi();
        CLUSTER.cluster().gitlabUser().push(ClusterExtension.repository(Played.job("waits", 1), Map.of()), project);
        Hosts.stayAway(WHILE);
        GitLabFaults.in(CLUSTER.cluster()).none();
        PipelineRun meanwhile = PipelineRun.newest(CLUSTER.cluster(), project);

        ClusterExtension.awaitStatus(before, "runs", "success", Duration.ofMinutes(2));
        ClusterExtension.awaitStatus(meanwhile, "waits", "success", Duration.ofMinutes(3));
        assertThat(before.jobs()).hasSize(1);
        assertThat(meanwhile.jobs()).hasSize(1);
    }
}
