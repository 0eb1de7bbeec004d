package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two control planes at once, and kill -9 of one while both work: each job ends once, and new ones start at once. */
final class TwoControlPlanesIT {

    private static final int JOBS = 30;
    private static final Duration TAKES_OVER = Duration.ofSeconds(5);

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void oneGoesOnWithoutTheOther() {
        CLUSTER.cluster().startSecondApi();
        PipelineRun run = CLUSTER.push(Played.many("many", JOBS));
        Waiting.until(
                "a third of them have run",
                Duration.ofMinutes(2),
                () -> run.jobs().stream()
                                .filter(job -> job.status().equals("success"))
                                .count()
                        >= JOBS / 3);
        CLUSTER.cluster().killSecondControlPlane();
        PipelineRun next = CLUSTER.push(Played.job("next", 1));
        JobTimes times = JobTimes.of(ClusterExtension.awaitStatus(next, "next", "success", Duration.ofMinutes(2)));
        assertThat(Duration.between(times.seen(), times.granted())).isLessThan(TAKES_OVER);

        run.awaitEnd(Duration.ofMinutes(3), () -> {});
        assertThat(run.jobs())
                .hasSize(JOBS)
                .allSatisfy(job -> assertThat(job.status()).isEqualTo("success"));
        assertThat(Database.slotsThatClaimed(CLUSTER.cluster(), run)).isEqualTo(JOBS);
    }

    /** When the control plane heard of a job, and when it began to launch a VM for it. */
    private record JobTimes(Instant seen, Instant granted) {

        static JobTimes of(PipelineRun.JobState job) {
            String launching = "";
            for (var reached : Objects.requireNonNull(job.inMayfly()).path("phases")) {
                if (reached.path("phase").asText().equals("LAUNCHING")) {
                    launching = reached.path("at").asText();
                }
            }
            return new JobTimes(
                    Instant.parse(Objects.requireNonNull(job.inMayfly())
                            .path("seenAt")
                            .asText()),
                    Instant.parse(launching));
        }
    }
}
