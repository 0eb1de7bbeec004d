package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import dev.mayfly.demo.Report.VmReport;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Four parallel jobs of one size, so that GitLab hands each VM whichever job is next: the commonest pipeline there is.
 * One is cancelled, another's VM is killed; the rest succeed, each in a VM of its own.
 */
final class CrossClaimIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    private static final Duration PATIENCE = Duration.ofMinutes(6);

    @Test
    void parallelJobsOfOneSizeEachRunOnceInAVmOfTheirOwn() {
        PipelineRun run = CLUSTER.push("""
                twin:
                  parallel: 4
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - echo "part $CI_NODE_INDEX on $(hostname)"
                    - if [ "$CI_NODE_INDEX" -le 2 ]; then sleep 600; fi
                """);
        JobState cancelled = running(run, "twin 1/4");
        JobState killed = running(run, "twin 2/4");
        run.cancel(cancelled);
        Vms.kill(Objects.requireNonNull(killed.vm()).id());
        run.awaitEnd(PATIENCE, () -> {});

        List<JobState> jobs = run.jobs();
        assertThat(jobs).hasSize(4);
        assertThat(run.job("twin 1/4").status()).isEqualTo("canceled");
        assertThat(run.job("twin 2/4").status()).isEqualTo("failed");
        assertThat(run.job("twin 2/4").reason()).isEqualTo("runner_system_failure");
        for (String name : List.of("twin 3/4", "twin 4/4")) {
            assertThat(run.job(name).status()).as(run.log(run.job(name))).isEqualTo("success");
        }
        Set<String> vms = new HashSet<>();
        for (JobState job : jobs) {
            VmReport vm = Objects.requireNonNull(job.vm(), () -> job.name() + " had no VM");
            assertThat(vms.add(vm.id()))
                    .as("%s had a VM of its own", job.name())
                    .isTrue();
            assertThat(run.log(job)).contains("on " + Vms.hostName(vm.id()));
        }
    }

    private static JobState running(PipelineRun run, String name) {
        return ClusterExtension.await(
                run,
                name,
                "runs its script",
                PATIENCE,
                job -> job.status().equals("running") && run.log(job).contains(" on "));
    }
}
