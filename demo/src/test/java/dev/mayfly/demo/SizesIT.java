package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A guest has what its job's tag says: CPUs, memory, and of a fraction of a CPU no more than that. */
@Tag(SystemTests.LONG)
final class SizesIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Duration WINDOW = Duration.ofSeconds(10);

    private record Asked(String tag, int cpus, int memoryMib) {}

    private static final List<Asked> SIZES = List.of(
            new Asked("actuated", 2, 2048),
            new Asked("actuated-3cpu", 3, 2048),
            new Asked("actuated-512mb", 2, 512),
            new Asked("actuated-0.5cpu-1gb", 1, 1024),
            new Asked("actuated-1.5cpu-3gb", 2, 3072),
            new Asked("actuated-4cpu-6gb-x86_64", 4, 6144));

    @Test
    void aGuestSeesTheCpusAndTheMemoryOfItsTag() {
        StringBuilder jobs = new StringBuilder();
        for (Asked asked : SIZES) {
            jobs.append("""
                    %1$s:
                      tags: [%1$s, shell]
                      script:
                        - echo "cpus=$(nproc) kib=$(awk '/MemTotal/ {print $2}' /proc/meminfo)."
                    """.formatted(asked.tag()));
        }
        PipelineRun run = CLUSTER.push(jobs.toString());
        for (Asked asked : SIZES) {
            JobState job = ClusterExtension.awaitStatus(run, asked.tag(), "success", PATIENCE);
            assertThat(ClusterExtension.inLog(run, job, "cpus=(\\d+) kib=.*"))
                    .as("CPUs of %s", asked.tag())
                    .isEqualTo(String.valueOf(asked.cpus()));
            double mib = Integer.parseInt(ClusterExtension.inLog(run, job, ".* kib=(\\d+)\\.")) / 1024.0;
            assertThat(mib)
                    .as("MemTotal of %s, MiB", asked.tag())
                    .isBetween(asked.memoryMib() * 0.99, asked.memoryMib() * 1.03);
        }
    }

    @Test
    void halfACpuIsHalfOfOneHoweverBusyTheJobIs() throws InterruptedException {
        PipelineRun run = CLUSTER.push("""
                busy:
                  tags: [actuated-0.5cpu-512mb, shell]
                  script:
                    - echo "script begins"
                    - while [ ! -e /never ]; do :; done
                """);
        JobState job = ClusterExtension.awaitLog(run, "busy", "script begins\n");
        String slot = Objects.requireNonNull(job.vm()).id();

        Duration before = Vms.cpuTime(slot);
        long began = System.nanoTime();
        Thread.sleep(WINDOW.toMillis()); // the window of the measurement
        double used = Vms.cpuTime(slot).minus(before).toNanos() / (double) (System.nanoTime() - began);
        run.cancel(job);

        assertThat(used).as("CPUs in use over %s", WINDOW).isCloseTo(0.5, Percentage.withPercentage(5));
    }
}
