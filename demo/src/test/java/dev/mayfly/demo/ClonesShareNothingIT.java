package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** VMs that are clones of one template, at the same time, share no identity and no randomness, and keep the right time. */
@Tag(SystemTests.LONG)
final class ClonesShareNothingIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVmsOfTemplates();

    private static final Duration PATIENCE = Duration.ofMinutes(5);

    @Test
    void threeClonesAreThreeVms() {
        PipelineRun first = CLUSTER.push("""
                boots:
                  tags: [actuated-1cpu-1gb, shell]
                  script: [echo booted]
                """, Map.of());
        ClusterExtension.awaitStatus(first, "boots", "success", PATIENCE);
        Path templates = CLUSTER.cluster().options().work().resolve("host-1/state/templates");
        Waiting.until(
                "host-1 has a template",
                PATIENCE,
                () -> !Servers.list(templates).isEmpty());

        PipelineRun run = CLUSTER.push("""
                clone:
                  parallel: 3
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - echo "machine=$(cat /etc/machine-id)"
                    - echo "boot=$(cat /proc/sys/kernel/random/boot_id)"
                    - echo "random=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' ')"
                    - echo "host=$(hostname)"
                    - echo "python=$(python3 -c 'import random; print(random.SystemRandom().getrandbits(128), random.getrandbits(128))' | tr ' ' _)"
                    - echo "clock=$(date +%s)"
                    - echo "keys=$(ls /etc/ssh/ssh_host_* 2>/dev/null | wc -l)"
                """, Map.of());
        List<String> names = List.of("clone 1/3", "clone 2/3", "clone 3/3");
        for (String name : names) {
            ClusterExtension.awaitStatus(run, name, "success", PATIENCE);
        }
        List<JobState> jobs = names.stream().map(run::job).toList();
        String agent = Servers.read(CLUSTER.cluster().files().log("agent-1"));
        for (JobState job : jobs) {
            assertThat(agent)
                    .as("the log of host-1")
                    .contains("slot " + Objects.requireNonNull(job.vm()).id() + ": a clone of ");
            assertThat(run.log(job)).contains("keys=0");
            long clock = Long.parseLong(ClusterExtension.inLog(run, job, "clock=(\\d+)"));
            assertThat(clock)
                    .as("seconds since 1970 in the clone")
                    .isBetween(seconds(job, "started_at") - 1, seconds(job, "finished_at") + 1);
        }
        for (String what : List.of("machine", "boot", "random", "host", "python")) {
            Set<String> values = new HashSet<>();
            jobs.forEach(job -> values.add(ClusterExtension.inLog(run, job, what + "=(\\S{5,})")));
            assertThat(values).as(what).hasSize(jobs.size());
        }
    }

    private static long seconds(JobState job, String time) {
        return Instant.parse(job.inGitLab().get(time).asText()).getEpochSecond();
    }
}
