package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** When no host has room a job waits in the queue, and jobs of one size start in the order in which they came. */
final class NoRoomWaitsInOrderIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void jobsBeyondTheFleetsRoomWaitAndStartInOrder() {
        // Two hosts of 8 CPUs: four of these fit at once.
        PipelineRun run = CLUSTER.push("""
                big:
                  parallel: 8
                  tags: [actuated-4cpu-4gb, shell]
                  variables: {SIMULATE_SECONDS: "2"}
                  script: [echo played]
                """);
        List<Long> most = new ArrayList<>();
        run.awaitEnd(
                Duration.ofMinutes(2),
                () -> most.add(
                        Database.count(CLUSTER.cluster(), "SELECT count(*) FROM slot WHERE released_at IS NULL")));
        assertThat(most).allSatisfy(slots -> assertThat(slots).isLessThanOrEqualTo(4));
        List<JobState> byStart = new ArrayList<>(run.jobs());
        assertThat(byStart).allSatisfy(job -> assertThat(job.status()).isEqualTo("success"));
        byStart.sort(Comparator.comparing(job -> job.text("startedAt")));
        List<Long> firstFour =
                byStart.subList(0, 4).stream().map(JobState::id).sorted().toList();
        List<Long> lastFour =
                byStart.subList(4, 8).stream().map(JobState::id).sorted().toList();
        assertThat(firstFour.get(3)).isLessThan(lastFour.get(0));
    }
}
