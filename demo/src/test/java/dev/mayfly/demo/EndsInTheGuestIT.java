package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How a job ends that ruins its own machine: GitLab, its log and Mayfly's outcome say what happened, and soon. */
final class EndsInTheGuestIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.realVms();

    private static final Duration PATIENCE = Duration.ofMinutes(4);
    /** Within which a fault of the machine under a job must be its end. */
    private static final Duration SOON = Duration.ofSeconds(10);

    @Test
    void aJobThatUsesUpItsMemoryIsToldTheTagThatHelps() {
        PipelineRun run = CLUSTER.push("""
                greedy:
                  tags: [actuated-1cpu-768mb, shell]
                  script:
                    - python3 -c 'kept = [b"x" * (8 << 20) for _ in range(1000)]'
                neighbour:
                  tags: [actuated-1cpu-768mb, shell]
                  script:
                    - python3 -c 'import time; kept = [b"x" * (8 << 20) for _ in range(40)]; print("holds", flush=True); time.sleep(60); print("kept", sum(map(len, kept)))'
                """);
        JobState ended = ClusterExtension.awaitStatus(run, "greedy", "failed", PATIENCE);
        assertThat(ended.reason()).isEqualTo("script_failure");
        String advice = "it had 768 MiB; ask for more by the tag actuated-1cpu-1536mb";
        assertThat(outcomeOf(run, "greedy")).contains("FAILED", "the VM ran out of memory: " + advice);
        if (System.getenv("MAYFLY_RUNNER").equals("embedded")) {
            assertThat(run.log(ended)).contains("killed a process of the job: " + advice, "exit status 137");
        } // the official one knows nothing of memory
        JobState neighbour = ClusterExtension.awaitStatus(run, "neighbour", "success", PATIENCE);
        assertThat(run.log(neighbour)).contains("kept " + (40L << 23));
        assertThat(inGitLab(ended, "finished_at"))
                .as("meanwhile")
                .isBetween(inGitLab(neighbour, "started_at"), inGitLab(neighbour, "finished_at"));
    }

    @Test
    void aKernelThatPanicsIsTheSystemsFailureWithTheMaskedEndOfTheConsole() {
        long project = CLUSTER.createProject();
        CLUSTER.cluster()
                .gitlabUser()
                .addVariable(project, Map.of("key", "SECRET", "value", "only-for-my-eyes", "masked", true));
        PipelineRun run = CLUSTER.push(project, """
                panic:
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - echo "on the console $SECRET" | sudo tee /dev/console > /dev/null
                    - echo "script begins"
                    - sleep 5
                    - echo c | sudo tee /proc/sysrq-trigger
                    - sleep 600
                """);
        JobState ended = failsSoonAfter(run, "panic", "script begins\n", Duration.ofSeconds(5));
        assertThat(run.log(ended))
                .contains("the guest's kernel panicked", "Kernel panic - not syncing", "on the console [MASKED]")
                .doesNotContain("only-for-my-eyes");
        assertThat(outcomeOf(run, "panic")).contains("VM_LOST", "the guest's kernel panicked");
    }

    @Test
    void aJobThatPowersItsMachineOffIsFailedAndSaysSo() {
        PipelineRun run = CLUSTER.push("""
                unplugged:
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - echo "script begins"
                    - sleep 5
                    - sudo systemctl --force --force poweroff
                    - sleep 600
                """);
        JobState ended = failsSoonAfter(run, "unplugged", "script begins\n", Duration.ofSeconds(5));
        assertThat(run.log(ended)).contains("the guest was powered off");
        assertThat(outcomeOf(run, "unplugged")).contains("VM_LOST", "the guest was powered off");
    }

    @Test
    void aJobThatKillsTheGuestAgentRunsOn() {
        PipelineRun run = CLUSTER.push("""
                rude:
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - old=$(pgrep -o -f mayfly-guest-agent) && sudo kill -9 "$old"
                    - until new=$(systemctl show -P MainPID mayfly-agent) && [ "$new" != 0 ] && [ "$new" != "$old" ]; do sleep 0.2; done
                    - echo "went on"
                """);
        JobState ended = ClusterExtension.awaitStatus(run, "rude", "success", PATIENCE);
        assertThat(run.log(ended)).contains("\nwent on\n");
        assertThat(outcomeOf(run, "rude")).contains("SUCCEEDED");
    }

    @Test
    void aJobThatFillsItsDiskFailsByItsOwnMessage() {
        PipelineRun run = CLUSTER.push("""
                full:
                  tags: [actuated-1cpu-1gb, shell]
                  script:
                    - fallocate -l "$(($(df --output=avail -B1M . | tail -1) - 8))M" most
                    - dd if=/dev/zero of=rest bs=1M
                """);
        JobState ended = ClusterExtension.awaitStatus(run, "full", "failed", PATIENCE);
        assertThat(ended.reason()).isEqualTo("script_failure");
        assertThat(run.log(ended)).contains("No space left on device", "exit status 1");
        assertThat(outcomeOf(run, "full")).contains("FAILED", "the job failed");
    }

    @Test
    void aJobHasOnlyItsTime() {
        PipelineRun run = CLUSTER.push("""
                slow:
                  tags: [actuated-1cpu-1gb, shell]
                  timeout: 25 seconds
                  script: [echo "script begins", sleep 600]
                """);
        JobState ended = ClusterExtension.awaitStatus(run, "slow", "failed", PATIENCE);
        assertThat(ended.reason()).isEqualTo("job_execution_timeout");
        assertThat(run.log(ended)).contains("script begins\n", "execution took longer than 25 seconds");
        assertThat(outcomeOf(run, "slow")).contains("FAILED");
    }

    /** Waits until it has failed for a fault of its machine, at most {@link #SOON} after its script did what it does {@code later}. */
    private static JobState failsSoonAfter(PipelineRun run, String job, String line, Duration later) {
        ClusterExtension.awaitLog(run, job, line);
        JobState ended = ClusterExtension.awaitStatus(run, job, "failed", later.plus(SOON));
        assertThat(ended.reason()).isEqualTo("runner_system_failure");
        assertThat(run.jobs()).as("it is not run again").hasSize(1);
        return ended;
    }

    /** What Mayfly's own API says of it once nothing is left of it. */
    private static String outcomeOf(PipelineRun run, String job) {
        JobState done = ClusterExtension.awaitPhase(run, job, "done");
        return String.valueOf(done.inMayfly()).replaceAll(".*\"outcome\":(\\{[^}]*}).*", "$1");
    }

    private static Instant inGitLab(JobState job, String time) {
        return Instant.parse(job.inGitLab().path(time).asText());
    }
}
