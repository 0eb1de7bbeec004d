package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A part of the control plane is away under fifty running jobs, for a minute or, with {@code mayfly.all}, for five, which
 * is longer than hosts may be silent: none of the jobs fails.
 */
@Tag(SystemTests.LONG)
final class OutageUnderFiftyJobsIT {

    private static final int JOBS = 50;
    private static final Duration OUTAGE = Duration.ofMinutes(Boolean.getBoolean("mayfly.all") ? 5 : 1);
    /** From the first to the last of them. */
    private static final Duration ALL_START = Duration.ofMinutes(3);

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void controlPlane() {
        survives(
                () -> CLUSTER.cluster().killControlPlane(),
                () -> CLUSTER.cluster().startApi());
    }

    @Test
    void postgres() {
        survives(
                () -> CLUSTER.cluster().database().stop(),
                () -> CLUSTER.cluster().database().start());
    }

    @Test
    void temporal() {
        survives(() -> CLUSTER.cluster().killTemporal(), () -> CLUSTER.cluster().startTemporal());
    }

    private static void survives(Runnable stop, Runnable start) {
        PipelineRun run =
                CLUSTER.push("""
                many:
                  parallel: %d
                  tags: [actuated-0.25cpu-256mb, shell]
                  variables: {SIMULATE_SECONDS: "%d"}
                  script: [echo played]
                """.formatted(JOBS, OUTAGE.plus(ALL_START).toSeconds()));
        run.awaitAll("running", ALL_START);
        stop.run();
        try {
            Hosts.stayAway(OUTAGE);
        } finally {
            start.run();
        }
        run.awaitEnd(ALL_START.plus(OUTAGE), () -> {});
        assertThat(run.jobs())
                .hasSize(JOBS)
                .allSatisfy(job -> assertThat(job.status()).isEqualTo("success"));
    }
}
