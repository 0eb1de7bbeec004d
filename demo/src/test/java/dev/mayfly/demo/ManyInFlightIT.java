package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Servers that crash while many jobs are on their way: each job ends once, green. */
final class ManyInFlightIT {

    private static final int STAGE = 100;
    private static final int STAGES = 5;
    private static final int WAVE = 40;

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void postgresIsRestartedWhileSlotsAreGranted() {
        PipelineRun run = CLUSTER.push(jobs(1, WAVE));
        awaitSlots(WAVE / 4);
        CLUSTER.cluster().database().stop();
        CLUSTER.cluster().database().start();
        allEndOnce(run, WAVE, Duration.ofMinutes(4));
    }

    @Test
    @Tag(SystemTests.LONG)
    void temporalIsKilledUnderFiveHundredJobs() {
        PipelineRun run = CLUSTER.push(jobs(STAGES, STAGE));
        Waiting.until(
                "each job is known",
                Duration.ofMinutes(5),
                () -> Database.count(CLUSTER.cluster(), "SELECT count(*) FROM job WHERE queued_at IS NOT NULL")
                        >= STAGES * STAGE);
        CLUSTER.cluster().killTemporal();
        CLUSTER.cluster().startTemporal();
        allEndOnce(run, STAGES * STAGE, Duration.ofMinutes(20));
    }

    private static String jobs(int names, int each) {
        return IntStream.range(0, names)
                .mapToObj(name -> Played.many("many-" + name, each))
                .collect(Collectors.joining());
    }

    private static void awaitSlots(int slots) {
        long before = Database.count(CLUSTER.cluster(), "SELECT count(*) FROM slot");
        Waiting.until(
                slots + " more slots were granted",
                Duration.ofMinutes(1),
                () -> Database.count(CLUSTER.cluster(), "SELECT count(*) FROM slot") >= before + slots);
    }

    private static void allEndOnce(PipelineRun run, int jobs, Duration patience) {
        run.awaitEnd(patience, () -> {});
        assertThat(run.jobs())
                .hasSize(jobs)
                .allSatisfy(job -> assertThat(job.status()).isEqualTo("success"));
        assertThat(Database.slotsThatClaimed(CLUSTER.cluster(), run)).isEqualTo(jobs);
    }
}
