package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A host that nothing reaches any more, in each phase of a job; and plugged in again, it has nothing old left. */
final class HostUnpluggedIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    private static final int CUT_OFF = 1;
    private static final int OTHER = 2;
    /** From the cut to the job's end: the host is LOST then, and its jobs are settled. */
    private static final Duration LOST_AND_SETTLED = ClusterExtension.LOST_AFTER.plusSeconds(30);

    private static String stateOf(int host) {
        return Hosts.shown(CLUSTER.cluster(), host).path("state").asText();
    }

    private static long epochOf(int host) {
        return Hosts.shown(CLUSTER.cluster(), host).path("epoch").asLong();
    }

    @AfterEach
    void plugIn() {
        CLUSTER.cluster().hosts().plug(CUT_OFF);
        Waiting.until(
                "host-1 is back", Duration.ofMinutes(1), () -> stateOf(CUT_OFF).equals("READY"));
        Hosts.undrain(CLUSTER.cluster(), CUT_OFF);
        Hosts.undrain(CLUSTER.cluster(), OTHER);
    }

    /** A job that runs on the host that will be cut off. */
    private static PipelineRun running(String name, int seconds) {
        Hosts.drain(CLUSTER.cluster(), OTHER);
        PipelineRun run = CLUSTER.push(Played.job(name, seconds));
        JobState job = ClusterExtension.awaitPhase(run, name, "running");
        assertThat(Objects.requireNonNull(job.vm()).host()).isEqualTo("host-1");
        Hosts.undrain(CLUSTER.cluster(), OTHER);
        return run;
    }

    @Test
    void beforeTheLaunchAnotherHostRunsTheJob() {
        Hosts.drain(CLUSTER.cluster(), CUT_OFF);
        Hosts.drain(CLUSTER.cluster(), OTHER);
        PipelineRun run = CLUSTER.push(Played.job("moved", 1));
        ClusterExtension.awaitPhase(run, "moved", "queued");
        CLUSTER.cluster().hosts().unplug(CUT_OFF);
        Instant cut = Instant.now();
        Hosts.undrain(CLUSTER.cluster(), CUT_OFF);
        ClusterExtension.await(
                run,
                "moved",
                "is granted a slot on the host that is cut off",
                Duration.ofSeconds(30),
                state -> "host-1".equals(state.text("hostId")));
        Hosts.undrain(CLUSTER.cluster(), OTHER);

        JobState ended = ClusterExtension.awaitStatus(run, "moved", "success", LOST_AND_SETTLED);

        assertThat(Objects.requireNonNull(ended.vm()).host()).isEqualTo("host-2");
        System.out.printf("from the cut to success on the other host: %s%n", Duration.between(cut, Instant.now()));
    }

    @Test
    void forLessThanItsLeaseItsJobRunsOn() {
        PipelineRun run = running("short-cut", 20);
        long epoch = epochOf(CUT_OFF);
        CLUSTER.cluster().hosts().unplug(CUT_OFF);
        Waiting.until(
                "host-1 is SUSPECT",
                Duration.ofSeconds(30),
                () -> stateOf(CUT_OFF).equals("SUSPECT"));
        CLUSTER.cluster().hosts().plug(CUT_OFF);

        ClusterExtension.awaitStatus(run, "short-cut", "success", Duration.ofMinutes(1));

        assertThat(epochOf(CUT_OFF)).isEqualTo(epoch);
    }

    @Test
    @Tag(SystemTests.LONG)
    void forLongerThanItsLeaseItsJobIsFailedInTime() {
        PipelineRun run = running("cut-off", 600);
        CLUSTER.cluster().hosts().unplug(CUT_OFF);
        Instant cut = Instant.now();

        JobState ended = ClusterExtension.awaitStatus(run, "cut-off", "failed", LOST_AND_SETTLED);

        assertThat(ended.reason()).isEqualTo("runner_system_failure");
        assertThat(stateOf(CUT_OFF)).isEqualTo("LOST");
        System.out.printf("from the cut to the job's failure: %s%n", Duration.between(cut, Instant.now()));
    }

    @Test
    @Tag(SystemTests.LONG)
    void atCleanUpTheJobIsDoneWithoutIt() {
        PipelineRun run = running("cancelled", 600);
        CLUSTER.cluster().hosts().unplug(CUT_OFF);
        Instant cut = Instant.now();
        run.cancelAll();
        ClusterExtension.awaitPhase(run, "cancelled", "dismantling");

        ClusterExtension.await(
                run, "cancelled", "is done", LOST_AND_SETTLED, state -> "DONE".equals(state.text("phase")));

        assertThat(run.job("cancelled").status()).isEqualTo("canceled");
        System.out.printf("from the cut to the end of a job at clean-up: %s%n", Duration.between(cut, Instant.now()));
    }
}
