package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** kill -9 of the agent under a running job, away for 15 s: the job ends once, green. */
final class AgentKilledWhileRunningIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    @Test
    void theJobGoesOnAndEndsGreen() {
        PipelineRun run = CLUSTER.push("""
                steady:
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - echo "script begins"
                    - for i in $(seq 40); do echo "line $i"; sleep 1; done
                """);
        JobState job = ClusterExtension.await(
                run,
                "steady",
                "runs its script",
                Duration.ofMinutes(3),
                state -> state.status().equals("running") && run.log(state).contains("line 3"));
        int host = Hosts.number(Objects.requireNonNull(job.vm()).host());
        CLUSTER.cluster().hosts().agent(host).kill();
        Hosts.stayAway(Duration.ofSeconds(15));
        CLUSTER.cluster().hosts().startAgent(host);
        ClusterExtension.awaitStatus(run, "steady", "success", Duration.ofMinutes(3));
        assertThat(run.log(run.job("steady"))).contains("line 1\n", "line 20\n", "line 40\n");
        assertThat(run.jobs()).hasSize(1);
    }
}
