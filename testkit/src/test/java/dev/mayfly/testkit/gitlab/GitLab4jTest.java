package dev.mayfly.testkit.gitlab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.testkit.gitlab.TestRunner.Job;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.gitlab4j.api.GitLabApi;
import org.gitlab4j.api.GitLabApiException;
import org.gitlab4j.api.models.CreateRunnerParams;
import org.gitlab4j.api.models.CreateRunnerResponse;
import org.gitlab4j.api.models.JobStatus;
import org.gitlab4j.api.models.PipelineStatus;
import org.gitlab4j.api.models.Project;
import org.gitlab4j.api.models.ProjectHook;
import org.gitlab4j.api.models.Runner;
import org.gitlab4j.api.models.Runner.RunnerType;
import org.gitlab4j.api.models.RunnerDetail;
import org.gitlab4j.api.utils.JacksonJson;
import org.gitlab4j.api.webhook.BuildEvent;
import org.gitlab4j.api.webhook.Event;
import org.gitlab4j.api.webhook.PipelineEvent;
import org.gitlab4j.models.Constants.JobScope;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A client library that was written for real servers understands every answer. */
class GitLab4jTest extends WithGitLab {
    private GitLabApi api;
    private long project;

    @BeforeEach
    void start() {
        api = new GitLabApi(gitlab.server.url(), gitlab.server.rootToken());
        project = gitlab.createProject("acme/app");
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @Test
    void projectsAndUsers() throws GitLabApiException {
        Project found = api.getProjectApi().getProject("acme/app");
        assertThat(found.getId()).isEqualTo(project);
        assertThat(found.getPathWithNamespace()).isEqualTo("acme/app");
        assertThat(found.getNamespace().getFullPath()).isEqualTo("acme");
        assertThat(api.getProjectApi().getProjects()).hasSize(1);
        assertThat(api.getUserApi().getCurrentUser().getUsername()).isEqualTo("root");
        assertThat(api.getVersion().getVersion()).startsWith("19.");
        assertThatThrownBy(() -> api.getProjectApi().getProject("acme/none"))
                .isInstanceOfSatisfying(
                        GitLabApiException.class,
                        e -> assertThat(e.getHttpStatus()).isEqualTo(404));
    }

    @Test
    void aRunnersLife() throws GitLabApiException {
        CreateRunnerResponse created = api.getUserApi()
                .createRunner(new CreateRunnerParams()
                        .withRunnerType(RunnerType.PROJECT_TYPE)
                        .withProjectId(project)
                        .withLocked(true)
                        .withRunUntagged(false)
                        .withTagList(List.of("s", "shell"))
                        .withDescription("one")
                        .withMaintenanceNote("ours")
                        .withMaximumTimeout(900));
        assertThat(created.getToken()).startsWith("glrt-");
        RunnerDetail detail = api.getRunnersApi().getRunnerDetail(created.getId());
        assertThat(detail.getTagList()).containsExactly("s", "shell");
        assertThat(detail.getDescription()).isEqualTo("one");
        assertThat(detail.getProjects()).hasSize(1);
        api.getRunnersApi().updateRunner(created.getId(), "two", true, List.of("m"), false, true, null);
        assertThat(api.getRunnersApi().getRunnerDetail(created.getId()).getTagList())
                .containsExactly("m");
        assertThat(api.getRunnersApi().getProjectRunners(project))
                .extracting(Runner::getId)
                .containsExactly(created.getId());
        api.getRunnersApi().removeRunner(created.getId());
        assertThatThrownBy(() -> api.getRunnersApi().removeRunner(created.getId()))
                .isInstanceOfSatisfying(
                        GitLabApiException.class,
                        e -> assertThat(e.getHttpStatus()).isEqualTo(404));
    }

    @Test
    void whatIsWrongWithARunnerIsSaid() {
        assertThatThrownBy(() -> api.getUserApi()
                        .createRunner(new CreateRunnerParams()
                                .withRunnerType(RunnerType.PROJECT_TYPE)
                                .withProjectId(project)
                                .withRunUntagged(false)))
                .isInstanceOf(GitLabApiException.class)
                .hasMessageContaining("Tags list can not be empty");
        assertThatThrownBy(() -> api.getUserApi()
                        .createRunner(new CreateRunnerParams()
                                .withRunnerType(RunnerType.PROJECT_TYPE)
                                .withProjectId(project)
                                .withMaximumTimeout(60)))
                .isInstanceOf(GitLabApiException.class)
                .hasMessageContaining("needs to be at least 10 minutes");
    }

    @Test
    void jobsAndPipelines() throws Exception {
        long pipeline = gitlab.push(project, """
                default: {tags: [t, with space]}
                a: {script: x, artifacts: {paths: [o]}}
                b: {script: x}
                """);
        assertThat(api.getPipelineApi().getPipeline(project, pipeline).getStatus())
                .isEqualTo(PipelineStatus.PENDING);
        assertThat(api.getJobApi().getJobs(project, JobScope.PENDING)).hasSize(2);
        TestRunner runner = gitlab.runner(project, "t", "with space");
        Job a = runner.start();
        a.log(0, "hello\n");
        a.upload("artifact_type=archive&artifact_format=zip", "zip".getBytes(StandardCharsets.UTF_8));
        a.succeed();
        org.gitlab4j.api.models.Job job = api.getJobApi().getJob(project, a.id());
        assertThat(job.getStatus()).isEqualTo(JobStatus.SUCCESS);
        assertThat(job.getTagList()).containsExactly("t", "with space");
        assertThat(job.getRunner().getId()).isEqualTo(runner.id);
        assertThat(job.getArtifactsFile().getSize()).isEqualTo(3);
        assertThat(job.getPipeline().getId()).isEqualTo(pipeline);
        assertThat(job.getFinishedAt()).isNotNull();
        assertThat(api.getJobApi().getTrace(project, a.id())).isEqualTo("hello\n");
        assertThat(api.getJobApi().downloadArtifactsFile(project, a.id()).readAllBytes())
                .hasSize(3);
        org.gitlab4j.api.models.Job b =
                api.getJobApi().getJobs(project, JobScope.PENDING).get(0);
        assertThat(api.getJobApi().cancelJob(project, b.getId()).getStatus()).isEqualTo(JobStatus.CANCELED);
        assertThat(api.getJobApi().retryJob(project, b.getId()).getStatus()).isEqualTo(JobStatus.PENDING);
        assertThat(api.getJobApi().getJobsForPipeline(project, pipeline)).hasSize(2);
        assertThat(api.getRunnersApi().getJobs(runner.id)).hasSize(1);
    }

    @Test
    void hooksAndTheirEvents() throws Exception {
        try (WebhookReceiver receiver = new WebhookReceiver()) {
            ProjectHook hook = api.getProjectApi()
                    .addHook(
                            project,
                            receiver.url(),
                            new ProjectHook().withJobEvents(true).withPipelineEvents(true),
                            false,
                            "secret");
            assertThat(api.getProjectApi().getHooks(project))
                    .extracting(ProjectHook::getId)
                    .containsExactly(hook.getId());
            gitlab.push(project, "a: {tags: [t], script: x, environment: production}\n");
            gitlab.runner(project, "t").start().succeed();
            receiver.await("Job Hook: a success");
            receiver.await("Pipeline Hook: success");
            for (WebhookReceiver.Delivery delivery : receiver.deliveries) {
                Event event = new JacksonJson().unmarshal(Event.class, delivery.body());
                if (event instanceof BuildEvent build) {
                    assertThat(build.getProjectId()).isEqualTo(project);
                    assertThat(build.getBuildName()).isEqualTo("a");
                } else {
                    assertThat(event).isInstanceOf(PipelineEvent.class);
                }
            }
            api.getProjectApi().deleteHook(hook);
            assertThat(api.getProjectApi().getHooks(project)).isEmpty();
        }
    }

    @Test
    void listsComeInPages() throws GitLabApiException {
        for (int i = 0; i < 5; i++) {
            gitlab.runner(project, "t");
        }
        assertThat(api.getRunnersApi().getProjectRunners(project)).hasSize(5);
        assertThat(api.getRunnersApi().getAllRunners(2).all()).hasSize(5);
        Answer second = gitlab.root("GET", "/runners/all?per_page=2&page=2", null);
        assertThat(second.json()).hasSize(2);
        assertThat(second.header("X-Next-Page")).isEqualTo("3");
        assertThat(second.header("X-Total")).isEqualTo("5");
        assertThat(second.header("Link")).contains("rel=\"next\"");
    }
}
