package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Terminating a workflow by hand skips its clean-up: the sweeper does it, and a job that still waits runs anew. */
@Tag(SystemTests.LONG)
final class TerminatedInTheUiIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    @Test
    void nothingIsLeftOfARunningJobWhoseWorkflowWasTerminated() {
        PipelineRun run = CLUSTER.push("""
                long:
                  tags: [actuated-1cpu-1gb, shell]
                  variables: {SIMULATE_SECONDS: "600"}
                  script: [echo played]
                """);
        JobState job = ClusterExtension.awaitStatus(run, "long", "running", Duration.ofMinutes(1));
        Temporal.terminate(CLUSTER.cluster(), Objects.requireNonNull(job.text("id")));
        ClusterExtension.await(
                run,
                "long",
                "is failed by the sweeper",
                Duration.ofMinutes(4),
                state -> state.status().equals("failed"));
        assertThat(run.log(run.job("long"))).isNotEmpty();
    }
}
