package dev.mayfly.testkit.gitlab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.testkit.gitlab.TestRunner.Job;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Fields and types against tables below {@code fidelity/}, each row with its source: of GitLab 19's webhooks and the
 * runner protocol in both directions, of payloads published by others in one.
 */
class FidelityTest extends WithGitLab {
    private static final String EVERYTHING = """
            default: {tags: [t, with space]}
            stages: [one, two, three]
            a:
              stage: one
              script: [x]
              after_script: [y]
              image: {name: alpine, entrypoint: [sh], pull_policy: if-not-present, docker: {user: '1000'}}
              services:
                - {name: postgres, alias: db, entrypoint: [sh], command: [run], pull_policy: always,
                   docker: {user: root}, variables: {A: b}}
              artifacts:
                {name: out, paths: [o], exclude: [o/t], untracked: false, when: always, expire_in: 1 day, reports: {junit: r.xml}}
              cache: {key: k, paths: [c], fallback_keys: [f]}
              hooks: {pre_get_sources_script: [z]}
              environment: {name: production, deployment_tier: production}
            b: {stage: two, script: x}
            c: {stage: three, script: x, when: manual}
            """;

    private WebhookReceiver receiver;
    private long project;
    private TestRunner runner;
    private final Shape requests = new Shape();

    @BeforeEach
    void aPipelineWithEverythingHasRun() throws IOException {
        receiver = new WebhookReceiver();
        project = gitlab.createProject("acme/app");
        runner = gitlab.runner(project, "t", "with space");
        gitlab.root("PUT", "/runners/" + runner.id, Map.of("description", "one"));
        gitlab.root(
                "POST",
                "/projects/" + project + "/hooks",
                Map.of("url", receiver.url(), "job_events", true, "pipeline_events", true, "push_events", false));
        gitlab.push(project, EVERYTHING);
        Answer created = gitlab.root(
                "POST",
                "/projects/" + project + "/pipeline",
                Map.of("ref", "main", "variables", List.of(Map.of("key", "K", "value", "v"))));
        assertThat(created.status()).isEqualTo(201);
        for (int taken = 0; taken < 4; taken++) {
            Job job = take();
            if (job.name().equals("a")) {
                job.log(0, "hello\n");
                job.upload("artifact_type=archive&artifact_format=zip&expire_in=1+day", new byte[10]);
                job.succeed();
            } else {
                job.fail("script_failure", 1);
            }
        }
        TestGitLab.await(
                "the last events",
                () -> receiver.events().stream()
                                .filter("Pipeline Hook: failed"::equals)
                                .count()
                        == 2);
        TestGitLab.await(
                "the last job's",
                () -> receiver.events().stream()
                                .filter("Job Hook: b failed"::equals)
                                .count()
                        == 2);
    }

    private Job take() {
        Job job = runner.start();
        requests.add(job.payload());
        return job;
    }

    @AfterEach
    void stop() {
        receiver.close();
    }

    @Test
    void jobEventsHaveExactlyGitLabsFields() {
        Shape events = events("build");
        // An event is made before its pipeline moves on, so it never tells of a pipeline that has ended.
        assertThat(events.lacks(Shape.ofTable("job-hook")))
                .containsExactly(
                        onlyNull("commit.duration", "integer, null"),
                        onlyNull("commit.finished_at", "null, string"),
                        onlyNull("commit.finished_at_iso", "null, string"),
                        onlyNull("commit.name", "null, string"),
                        onlyNull("project.avatar_url", "null, string"));
        assertThat(events.isBeyond(Shape.ofTable("job-hook"))).isEmpty();
        assertThat(events.lacks(Shape.ofTable("sample-job-hook"))).isEmpty();
    }

    @Test
    void pipelineEventsHaveExactlyGitLabsFields() {
        Shape events = events("pipeline");
        assertThat(events.lacks(Shape.ofTable("pipeline-hook")))
                .containsExactly(
                        onlyNull("object_attributes.name", "null, string"),
                        onlyNull("project.avatar_url", "null, string"));
        assertThat(events.isBeyond(Shape.ofTable("pipeline-hook"))).isEmpty();
    }

    @Test
    void aRunnersJobHasExactlyTheFieldsThatRunnersRead() {
        assertThat(requests.lacks(Shape.ofTable("job-request")))
                .containsExactly(
                        onlyNull("job_info.scoped_user_id", "integer, null"),
                        onlyNull("policy_options", "null, object"),
                        onlyNull("runner_info.runner_session_url", "null, string"));
        assertThat(requests.isBeyond(Shape.ofTable("job-request"))).isEmpty();
    }

    /** The sample has {@code project} as lists of a runner's jobs have it, so both answers are looked at together. */
    @Test
    void jobsOfRestHaveTheFieldsOfThePublishedOne() {
        Shape jobs = new Shape();
        for (JsonNode job : gitlab.get("/projects/" + project + "/jobs")) {
            jobs.add(job);
        }
        for (JsonNode job : gitlab.get("/runners/" + runner.id + "/jobs")) {
            jobs.add(job);
        }
        long a = gitlab.job(project, "a").path("id").asLong();
        jobs.add(gitlab.root("POST", "/projects/%d/jobs/%d/erase".formatted(project, a), null)
                .json());
        assertThat(jobs.lacks(Shape.ofTable("sample-rest-job"))).isEmpty();
    }

    @Test
    void anAnswerToACreatedRunnerHasTheFieldsOfThePublishedOne() {
        Answer created = gitlab.root(
                "POST",
                "/user/runners",
                Map.of("runner_type", "project_type", "project_id", project, "tag_list", "a,b"));
        assertThat(new Shape().add(created.json()).lacks(Shape.ofTable("sample-rest-create-runner")))
                .isEmpty();
        assertThat(created.json().path("token").asText()).startsWith("glrt-");
    }

    /** What is there but has no value in a simulated GitLab. */
    private static String onlyNull(String field, String types) {
        return field + " [" + types + "], not [null]";
    }

    private Shape events(String kind) {
        Shape shape = new Shape();
        receiver.deliveries.stream()
                .map(WebhookReceiver.Delivery::json)
                .filter(json -> json.path("object_kind").asText().equals(kind))
                .forEach(shape::add);
        return shape;
    }
}
