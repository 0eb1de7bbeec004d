package dev.mayfly.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.demo.PipelineRun.JobState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How a job ends that GitLab, or somebody there, ends: nothing of it stays, and whatever waits is told why. */
final class EndsByGitLabIT {

    @RegisterExtension
    static final ClusterExtension CLUSTER = ClusterExtension.simulatedVms();

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @Test
    void aJobThatIsDeletedWhileItRuns() {
        PipelineRun run = CLUSTER.push(Played.job("deleted", 600));
        // Its first words: before them the payload may still be on its way, and nobody is answered a 404.
        JobState job = ClusterExtension.awaitLog(run, "deleted", "simulated this job");
        run.delete();
        JsonNode done = awaitDone(job);
        assertThat(done.at("/outcome/result").asText()).isEqualTo("ENDED_IN_GITLAB");
        assertThat(done.at("/outcome/detail").asText()).contains("404");
    }

    @Test
    void aJobThatIsDeletedWhileItWaits() {
        PipelineRun blocker = CLUSTER.push(Played.filling(30));
        blocker.awaitAll("running", PATIENCE);
        PipelineRun run = CLUSTER.push(Played.job("deleted", 600));
        JobState job = ClusterExtension.awaitPhase(run, "deleted", "queued");
        run.delete();
        assertThat(awaitDone(job).at("/outcome/detail").asText()).isEqualTo("GitLab says gone");
        blocker.awaitEnd(PATIENCE, () -> {});
    }

    @Test
    void aProjectThatIsDeletedWithAJobThatRunsAndOneThatWaits() {
        long project = CLUSTER.createProject();
        PipelineRun run = CLUSTER.push(project, Played.job("small", 600) + Played.filling(600));
        Waiting.until(
                "some run, and for the last there is no room",
                PATIENCE,
                () -> phases(run).containsAll(Set.of("RUNNING", "QUEUED")));
        List<JobState> jobs = run.jobs();
        CLUSTER.cluster().gitlabUser().api().delete("/api/v4/projects/" + project);
        jobs.forEach(job -> assertThat(awaitDone(job).at("/outcome/result").asText())
                .as(job.name())
                .isEqualTo("ENDED_IN_GITLAB"));
    }

    @Test
    void aJobThatGitLabDropsForItsTime() {
        PipelineRun run = CLUSTER.push(Played.job("late", 600));
        JobState job = ClusterExtension.awaitPhase(run, "late", "running");
        run.drop(job, "stuck_or_timeout_failure");
        Instant dropped = Instant.now();
        JsonNode done = awaitDone(job);
        assertThat(done.at("/outcome/result").asText()).isIn("ENDED_IN_GITLAB", "FAILED");
        assertThat(Duration.between(
                        dropped, Instant.parse(done.path("finishedAt").asText())))
                .isLessThan(Duration.ofSeconds(15));
        assertThat(run.job("late").reason()).isEqualTo("stuck_or_timeout_failure");
    }

    @Test
    void aJobThatIsCancelledByForceWhileItWindsUp() {
        PipelineRun run = CLUSTER.push(Played.job("forced", 600));
        JobState job = ClusterExtension.awaitPhase(run, "forced", "running");
        run.cancelByForce(job);
        assertThat(awaitDone(job).at("/outcome/result").asText()).isEqualTo("ENDED_IN_GITLAB");
        assertThat(run.job("forced").status()).isEqualTo("canceled");
    }

    @Test
    void aJobThatGitLabRetriesGetsAFreshVmEachTime() {
        PipelineRun run = CLUSTER.push("""
                flaky:
                  tags: [actuated-1cpu-1gb, shell]
                  retry: 2
                  variables: {SIMULATE_RESULT: failed}
                  script: [echo played]
                """);
        Waiting.until(
                "all three have failed and are over",
                PATIENCE,
                () -> run.jobs().size() == 3 && run.jobs().stream().allMatch(JobState::isOver));
        assertThat(run.jobs()).allSatisfy(job -> {
            assertThat(job.status()).isEqualTo("failed");
            assertThat(job.reason()).isEqualTo("script_failure");
        });
        assertThat(slotsOf(run)).hasSize(3);
    }

    @Test
    void aJobThatIsRetriedByHandRunsAnewInAVmOfItsOwn() {
        PipelineRun run = CLUSTER.push(Played.job("again", 4));
        JobState first = ClusterExtension.awaitPhase(run, "again", "running");
        run.cancel(first);
        awaitDone(first);
        run.retry(first);
        Waiting.until(
                "the second is over",
                PATIENCE,
                () -> run.jobs().size() == 2 && run.jobs().stream().allMatch(JobState::isOver));
        assertThat(run.jobs()).extracting(JobState::status).containsExactly("canceled", "success");
        assertThat(slotsOf(run)).hasSize(2);
    }

    @Test
    void whileOurAccessTokenIsRefusedWhatRunsGoesOnAndWhatWaitsSaysWhy() {
        PipelineRun running = CLUSTER.push(Played.job("running", 8));
        ClusterExtension.awaitPhase(running, "running", "running");
        try (GitLabFaults faults = GitLabFaults.in(CLUSTER.cluster())) {
            faults.answer(401, "POST", "/api/v4/user/runners");
            PipelineRun waiting = CLUSTER.push(Played.job("waiting", 1));
            ClusterExtension.awaitPhase(waiting, "waiting", "launching");
            Waiting.until(
                    "its page says why",
                    PATIENCE,
                    () -> Temporal.story(
                                    CLUSTER.cluster(),
                                    Objects.requireNonNull(
                                            waiting.job("waiting").text("id")))
                            .contains("the access token is wrong, expired or revoked"));
            ClusterExtension.awaitStatus(running, "running", "success", PATIENCE);
            assertThat(waiting.job("waiting").status()).isEqualTo("pending");
            faults.none();
            ClusterExtension.awaitStatus(waiting, "waiting", "success", PATIENCE);
        }
    }

    @Test
    void aRunnerThatSomebodyRemovesBeforeItHasAJobIsReplaced() {
        try (GitLabFaults faults = GitLabFaults.in(CLUSTER.cluster())) {
            faults.answer(502, "POST", "/api/v4/jobs/request");
            PipelineRun run = CLUSTER.push(Played.job("orphan", 1));
            ClusterExtension.awaitPhase(run, "orphan", "claiming");
            JsonApi api = CLUSTER.cluster().gitlabUser().api();
            JsonNode runners = api.get("/api/v4/runners/all?type=project_type&per_page=100");
            assertThat(runners).hasSize(1);
            api.delete("/api/v4/runners/" + runners.get(0).path("id").asLong());
            faults.none();
            ClusterExtension.awaitStatus(run, "orphan", "success", PATIENCE);
        }
    }

    private static Set<String> slotsOf(PipelineRun run) {
        return run.jobs().stream()
                .map(job -> Objects.requireNonNull(job.vm()).id())
                .collect(Collectors.toSet());
    }

    /** Waits until nothing is left of it, by Mayfly's own API: GitLab may have forgotten it. */
    private static JsonNode awaitDone(JobState job) {
        String path = "/api/v1/jobs/" + Objects.requireNonNull(job.text("id"));
        JsonApi api = CLUSTER.cluster().controlPlane();
        Waiting.until(
                job + " is done",
                PATIENCE,
                () -> api.get(path).path("phase").asText().equals("DONE"));
        return api.get(path);
    }

    private static Set<String> phases(PipelineRun run) {
        return run.jobs().stream().map(job -> String.valueOf(job.text("phase"))).collect(Collectors.toSet());
    }
}
