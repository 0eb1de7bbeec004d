package dev.mayfly.testkit.gitlab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.testkit.gitlab.TestRunner.Job;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How pipelines and their jobs move from state to state. */
class PipelineTest extends WithGitLab {
    private long project;
    private TestRunner runner;

    @BeforeEach
    void start() {
        project = gitlab.createProject("acme/app");
        runner = gitlab.runner(project, "t");
    }

    @Test
    void aStageWaitsForTheWholeOneBefore() {
        long pipeline = gitlab.push(project, """
                default: {tags: [t]}
                stages: [one, two]
                a: {stage: one, script: x}
                b: {stage: one, script: x}
                c: {stage: two, script: x}
                """);
        assertThat(gitlab.statuses(project, pipeline))
                .isEqualTo(Map.of("a", "pending", "b", "pending", "c", "created"));
        runner.start().succeed();
        assertThat(gitlab.statuses(project, pipeline)).containsEntry("c", "created");
        assertThat(gitlab.pipelineStatus(project, pipeline)).isEqualTo("running");
        runner.start().succeed();
        assertThat(gitlab.statuses(project, pipeline)).containsEntry("c", "pending");
        runner.start().succeed();
        assertThat(gitlab.pipelineStatus(project, pipeline)).isEqualTo("success");
    }

    @Test
    void aJobWithNeedsWaitsForThoseOnly() {
        long pipeline = gitlab.push(project, """
                default: {tags: [t]}
                stages: [one, two]
                a: {stage: one, script: x}
                b: {stage: one, script: x}
                c: {stage: two, script: x, needs: [a]}
                """);
        runner.start().succeed();
        assertThat(gitlab.statuses(project, pipeline))
                .containsEntry("b", "pending")
                .containsEntry("c", "pending");
    }

    @Test
    void aFailureSkipsWhatFollowsButForWhatWaitsForFailures() {
        long pipeline = gitlab.push(project, """
                default: {tags: [t]}
                stages: [one, two, three]
                a: {stage: one, script: x}
                b: {stage: two, script: x}
                mourn: {stage: two, script: x, when: on_failure}
                always: {stage: three, script: x, when: always}
                """);
        runner.start().fail("script_failure", 1);
        assertThat(gitlab.statuses(project, pipeline))
                .containsEntry("b", "skipped")
                .containsEntry("mourn", "pending");
        runner.start().succeed();
        runner.start().succeed();
        assertThat(gitlab.statuses(project, pipeline)).containsEntry("always", "success");
        assertThat(gitlab.pipelineStatus(project, pipeline)).isEqualTo("failed");
        assertThat(gitlab.job(project, "a").path("failure_reason").asText()).isEqualTo("script_failure");
    }

    @Test
    void anAllowedFailureIsNone() {
        long pipeline = gitlab.push(project, """
                default: {tags: [t]}
                stages: [one, two]
                a: {stage: one, script: x, allow_failure: true}
                codes: {stage: one, script: x, allow_failure: {exit_codes: 7}}
                b: {stage: two, script: x}
                """);
        runner.start().fail("script_failure", 1);
        runner.start().fail("script_failure", 7);
        assertThat(gitlab.statuses(project, pipeline)).containsEntry("b", "pending");
        assertThat(gitlab.job(project, "codes").path("allow_failure").asBoolean())
                .isTrue();
        runner.start().succeed();
        assertThat(gitlab.pipelineStatus(project, pipeline)).isEqualTo("success");
    }

    @Test
    void aRetryIsAnotherBuildAndOnlyForItsReasons() {
        gitlab.push(project, """
                a: {tags: [t], script: x, retry: {max: 1, when: runner_system_failure}}
                """);
        Job first = runner.start();
        first.fail("runner_system_failure", 1);
        Job second = runner.start();
        assertThat(second.id()).isGreaterThan(first.id());
        assertThat(second.name()).isEqualTo("a");
        second.fail("runner_system_failure", 1);
        assertThat(runner.take()).isEmpty();
    }

    @Test
    void aManualJobWaitsForSomeoneAndSkipsNothing() {
        long pipeline = gitlab.push(project, """
                default: {tags: [t]}
                stages: [one, two]
                m: {stage: one, script: x, when: manual}
                b: {stage: two, script: x}
                """);
        assertThat(gitlab.statuses(project, pipeline)).isEqualTo(Map.of("m", "manual", "b", "pending"));
        runner.start().succeed();
        assertThat(gitlab.pipelineStatus(project, pipeline)).isEqualTo("success");
        long manual = gitlab.job(project, "m").path("id").asLong();
        Answer played = gitlab.root("POST", "/projects/%d/jobs/%d/play".formatted(project, manual), null);
        assertThat(played.json().path("status").asText()).isEqualTo("pending");
        assertThat(gitlab.pipelineStatus(project, pipeline)).isIn("pending", "running");
    }

    @Test
    void aDelayedJobStartsWhenItsTimeHasCome() {
        long pipeline = gitlab.push(project, "a: {tags: [t], script: x, when: delayed, start_in: 1 hour}\n");
        assertThat(gitlab.statuses(project, pipeline)).containsEntry("a", "scheduled");
        gitlab.clock.pass(Duration.ofMinutes(61));
        TestGitLab.await(
                "the delayed job",
                () -> "pending".equals(gitlab.statuses(project, pipeline).get("a")));
    }

    @Test
    void aResourceGroupLetsOneJobThroughAtATime() {
        long pipeline = gitlab.push(project, """
                default: {tags: [t], }
                a: {script: x, resource_group: prod}
                b: {script: x, resource_group: prod}
                """);
        assertThat(gitlab.statuses(project, pipeline)).isEqualTo(Map.of("a", "pending", "b", "waiting_for_resource"));
        runner.start().succeed();
        assertThat(gitlab.statuses(project, pipeline)).containsEntry("b", "pending");
    }

    /** Held to source, not to a running client: no released runner at hand cancels gracefully. */
    @Test
    void aRunningJobIsAskedToCancelAndEndsCancelledWhateverItSays() {
        gitlab.push(project, "a: {tags: [t], script: x}\n");
        Job job = runner.start();
        String cancel = "/projects/%d/jobs/%d/cancel".formatted(project, job.id());
        assertThat(gitlab.root("POST", cancel, null).json().path("status").asText())
                .isEqualTo("canceling");
        assertThat(job.log(0, "after_script\n").header("Job-Status")).isEqualTo("canceling");
        assertThat(job.succeed().status()).isEqualTo(200);
        assertThat(gitlab.job(project, "a").path("status").asText()).isEqualTo("canceled");
    }

    @Test
    void aForcedCancelEndsTheJobsToken() {
        gitlab.push(project, "a: {tags: [t], script: x}\n");
        Job job = runner.start();
        String cancel = "/projects/%d/jobs/%d/cancel".formatted(project, job.id());
        gitlab.root("POST", cancel, Map.of("force", true));
        Answer refused = job.log(0, "x");
        assertThat(refused.status()).isEqualTo(403);
        assertThat(refused.header("Job-Status")).isEqualTo("canceled");
    }

    @Test
    void jobsThatNobodyCanTakeAreDroppedAfterAnHour() {
        runner.ask("");
        gitlab.push(project, "a: {tags: [unknown], script: x}\nb: {tags: [t], script: x}\n");
        gitlab.clock.pass(Duration.ofMinutes(61));
        TestGitLab.await(
                "the job that nobody can take",
                () -> gitlab.job(project, "a").path("status").asText().equals("failed"));
        assertThat(gitlab.job(project, "a").path("failure_reason").asText()).isEqualTo("stuck_or_timeout_failure");
        assertThat(gitlab.job(project, "b").path("status").asText()).isEqualTo("pending");
    }

    @Test
    void aRunningJobWithoutAWordForAnHourIsDropped() {
        gitlab.push(project, "a: {tags: [t], script: x, timeout: 10h}\n");
        runner.start();
        gitlab.clock.pass(Duration.ofMinutes(61));
        TestGitLab.await(
                "the silent job",
                () -> gitlab.job(project, "a").path("status").asText().equals("failed"));
        assertThat(gitlab.job(project, "a").path("failure_reason").asText()).isEqualTo("stuck_or_timeout_failure");
    }

    @Test
    void aWrongConfigurationMakesAFailedPipelineThatSaysWhy() {
        long pipeline = gitlab.push(project, "a: {scrpt: x}\n");
        assertThat(gitlab.pipelineStatus(project, pipeline)).isEqualTo("failed");
        assertThat(gitlab.get("/projects/%d/pipelines/%d".formatted(project, pipeline))
                        .path("yaml_errors")
                        .asText())
                .contains("unknown keys: scrpt");
    }

    @Test
    void aDeletedPipelineTakesItsJobsWithItAlsoFromTheirRunners() {
        long pipeline = gitlab.push(project, "a: {script: x, tags: [t]}");
        Job job = runner.start();
        assertThat(gitlab.root("DELETE", "/projects/%d/pipelines/%d".formatted(project, pipeline), null)
                        .status())
                .isEqualTo(204);
        assertThat(gitlab.root("GET", "/projects/%d/jobs/%d".formatted(project, job.id()), null)
                        .status())
                .isEqualTo(404);
        assertThat(job.put("running").status()).isEqualTo(404);
    }
}
