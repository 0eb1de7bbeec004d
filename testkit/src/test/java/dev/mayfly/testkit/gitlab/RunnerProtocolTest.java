package dev.mayfly.testkit.gitlab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.testkit.gitlab.TestRunner.Job;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What runners are given and told. */
class RunnerProtocolTest extends WithGitLab {
    private long project;

    @BeforeEach
    void start() {
        project = gitlab.createProject("acme/app");
    }

    @Test
    void theLowestIdWhoseTagsTheRunnerHasIsGivenOut() {
        gitlab.push(project, """
                a: {tags: [s, shell], script: x}
                b: {tags: [s], script: x}
                c: {tags: [other], script: x}
                d: {script: x}
                """);
        TestRunner small = gitlab.runner(project, "s");
        TestRunner both = gitlab.runner(project, "s", "shell");
        assertThat(small.take().orElseThrow().name()).isEqualTo("b");
        assertThat(both.take().orElseThrow().name()).isEqualTo("a");
        assertThat(both.take()).isEmpty();
    }

    @Test
    void withCrossClaimsARunnersOwnJobComesLast() {
        gitlab.push(project, """
                a: {tags: [s], script: x}
                b: {tags: [s], script: x}
                c: {tags: [s], script: x}
                """);
        TestRunner runner = gitlab.runner(project, "s");
        long own = gitlab.job(project, "c").path("id").asLong();
        gitlab.root(
                "PUT",
                "/runners/" + runner.id,
                Map.of("maintenance_note", "for https://gitlab.test/acme/app/-/jobs/%d.".formatted(own)));
        gitlab.admin("/switches", Map.of("cross_claims", true));
        assertThat(runner.take().orElseThrow().name()).isEqualTo("b");
        assertThat(runner.take().orElseThrow().name()).isEqualTo("a");
        assertThat(runner.take().orElseThrow().name()).isEqualTo("c");
    }

    @Test
    void aRunnerOfAnotherProjectGetsNothingAndAPausedOneNeither() {
        gitlab.push(project, "a: {tags: [s], script: x}\n");
        assertThat(gitlab.runner(gitlab.createProject("acme/other"), "s").take())
                .isEmpty();
        TestRunner paused = gitlab.runner(project, "s");
        gitlab.root("PUT", "/runners/" + paused.id, Map.of("paused", true));
        Answer answer = paused.ask("");
        assertThat(answer.status()).isEqualTo(204);
        assertThat(answer.header("X-GitLab-Last-Update")).isEmpty();
        gitlab.root("PUT", "/runners/" + paused.id, Map.of("paused", false));
        assertThat(paused.take()).isPresent();
    }

    @Test
    void newTagsOfARunnerCountAtOnce() {
        gitlab.push(project, "a: {tags: [s], script: x}\n");
        TestRunner runner = gitlab.runner(project, "other");
        assertThat(runner.take()).isEmpty();
        gitlab.root("PUT", "/runners/" + runner.id, Map.of("tag_list", List.of("s")));
        assertThat(runner.take()).isPresent();
    }

    @Test
    void aJobThatNeedsWhatTheRunnerCannotDoIsDropped() {
        gitlab.push(project, "a: {tags: [s], script: x, artifacts: {paths: [o], exclude: [o/t]}}\n");
        assertThat(gitlab.runner(project, "s").without("artifacts_exclude").take())
                .isEmpty();
        assertThat(gitlab.job(project, "a").path("failure_reason").asText()).isEqualTo("runner_unsupported");
    }

    @Test
    void anUnknownTokenIsForbidden() {
        assertThat(new TestRunner(gitlab, 0, "glrt-wrong").ask("").status()).isEqualTo(403);
        TestRunner runner = gitlab.runner(project, "s");
        assertThat(gitlab.root("DELETE", "/runners/" + runner.id, null).status())
                .isEqualTo(204);
        assertThat(runner.ask("").status()).isEqualTo(403);
        assertThat(gitlab.root("DELETE", "/runners/" + runner.id, null).status())
                .isEqualTo(404);
    }

    @Test
    void aRunnerThatHasSeenTheQueueWaitsUntilItChangesAndThenGetsItsJob() throws Exception {
        TestRunner runner = gitlab.runner(project, "s");
        String seen = runner.ask("").header("X-GitLab-Last-Update");
        assertThat(seen).isNotEmpty();
        CompletableFuture<Answer> waiting = CompletableFuture.supplyAsync(() -> runner.ask(seen));
        gitlab.push(project, "a: {tags: [s], script: x}\n");
        Answer woken = waiting.get();
        assertThat(woken.status()).isEqualTo(204);
        assertThat(woken.header("X-GitLab-Last-Update")).isEmpty();
        Answer given = runner.ask(seen);
        assertThat(given.status()).isEqualTo(201);
        assertThat(given.header("X-GitLab-Last-Update")).isEmpty();
    }

    @Test
    void longPollingEndsByItself() {
        gitlab.admin("/switches", Map.of("long_poll_seconds", 1));
        TestRunner runner = gitlab.runner(project, "s");
        String seen = runner.ask("").header("X-GitLab-Last-Update");
        long begin = System.nanoTime();
        assertThat(runner.ask(seen).status()).isEqualTo(204);
        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .isBetween(Duration.ofMillis(900), Duration.ofSeconds(9));
    }

    /** Held to source, not to a running client. */
    @Test
    void aClaimedJobIsPendingUntilTheRunnerSaysThatItRuns() {
        gitlab.push(project, "a: {tags: [s], script: x}\n");
        Job job = gitlab.runner(project, "s").take().orElseThrow();
        assertThat(gitlab.job(project, "a").path("status").asText()).isEqualTo("pending");
        assertThat(job.succeed().status()).isEqualTo(400);
        assertThat(job.put("pending").status()).isEqualTo(200);
        assertThat(job.put("running").status()).isEqualTo(200);
        assertThat(job.put("running").status()).isEqualTo(200);
        assertThat(job.put("pending").status()).isEqualTo(400);
        assertThat(job.succeed().status()).isEqualTo(200);
        assertThat(job.succeed().status()).isEqualTo(403);
    }

    /** Held to source, not to a running client. */
    @Test
    void aClaimWithoutAWordBecomesANewBuild() {
        gitlab.push(project, "a: {tags: [s], script: x}\n");
        TestRunner runner = gitlab.runner(project, "s");
        Job job = runner.take().orElseThrow();
        gitlab.clock.pass(Duration.ofSeconds(100));
        assertThat(job.put("pending").status()).isEqualTo(200);
        gitlab.clock.pass(Duration.ofSeconds(100));
        assertThat(job.put("pending").status()).isEqualTo(200);
        gitlab.clock.pass(Duration.ofSeconds(121));
        TestGitLab.await(
                "the claim's end",
                () -> gitlab.get("/projects/%d/jobs/%d".formatted(project, job.id()))
                        .path("status")
                        .asText()
                        .equals("failed"));
        assertThat(job.put("running").status()).isEqualTo(403);
        JsonNode next = gitlab.job(project, "a");
        assertThat(next.path("id").asLong()).isGreaterThan(job.id());
        assertThat(next.path("status").asText()).isEqualTo("pending");
        assertThat(runner.start().id()).isEqualTo(next.path("id").asLong());
    }

    @Test
    void withoutTwoPhaseCommitAJobRunsOnceItIsGivenOut() {
        gitlab.admin("/switches", Map.of("two_phase", false));
        gitlab.push(project, "a: {tags: [s], script: x}\n");
        Job job = gitlab.runner(project, "s").take().orElseThrow();
        assertThat(gitlab.job(project, "a").path("status").asText()).isEqualTo("running");
        assertThat(job.put("pending").status()).isEqualTo(400);
        assertThat(job.succeed().status()).isEqualTo(200);
    }

    @Test
    void theLogGrowsInOrderAndHidesTheJobsToken() {
        gitlab.push(project, "a: {tags: [s], script: x}\n");
        Job job = gitlab.runner(project, "s").start();
        Answer first = job.log(0, "one\n");
        assertThat(first.status()).isEqualTo(202);
        assertThat(first.header("Range")).isEqualTo("0-4");
        assertThat(first.header("Job-Status")).isEqualTo("running");
        Answer gap = job.log(9, "three\n");
        assertThat(gap.status()).isEqualTo(416);
        assertThat(gap.header("Range")).isEqualTo("0-4");
        assertThat(job.log(4, job.token()).status()).isEqualTo(202);
        String log = gitlab.root("GET", "/projects/%d/jobs/%d/trace".formatted(project, job.id()), null)
                .body();
        assertThat(log).startsWith("one\nxxx").doesNotContain(job.token());
    }

    @Test
    void artifactsReachTheJobsThatNeedThemAndNoOthers() {
        gitlab.push(project, """
                default: {tags: [s]}
                stages: [one, two]
                a: {stage: one, script: x, artifacts: {paths: [o]}}
                b: {stage: two, script: x}
                c: {stage: two, script: x, dependencies: []}
                """);
        TestRunner runner = gitlab.runner(project, "s");
        Job a = runner.start();
        byte[] zip = "\r\n--se\r\r\n--se no zip at all\r\n--se".getBytes(StandardCharsets.US_ASCII);
        String query = "artifact_type=archive&artifact_format=zip&expire_in=1+day";
        assertThat(a.upload(query, zip).status()).isEqualTo(201);
        assertThat(a.upload(query, zip).status()).isEqualTo(201);
        assertThat(a.upload(query, new byte[] {1}).status()).isEqualTo(400);
        a.succeed();
        Job b = runner.start();
        JsonNode dependency = b.payload().path("dependencies").path(0);
        assertThat(dependency.path("id").asLong()).isEqualTo(a.id());
        assertThat(dependency.path("artifacts_file").path("size").asInt()).isEqualTo(zip.length);
        String download = "/api/v4/jobs/" + a.id() + "/artifacts";
        String token = dependency.path("token").asText();
        assertThat(gitlab.send("GET", download, Map.of("JOB-TOKEN", token), new byte[0])
                        .body())
                .isEqualTo(new String(zip, StandardCharsets.US_ASCII));
        assertThat(gitlab.send("GET", download, Map.of(), new byte[0]).status()).isEqualTo(401);
        assertThat(gitlab.send("GET", download, Map.of("JOB-TOKEN", a.token()), new byte[0])
                        .status())
                .isEqualTo(403);
        assertThat(runner.start().payload().path("dependencies")).isEmpty();
    }

    @Test
    void transfersCanBeSentElsewhereAndUploadsBeTooLarge() {
        gitlab.push(project, "a: {tags: [s], script: x, artifacts: {paths: [o]}}\n");
        Job job = gitlab.runner(project, "s").start();
        gitlab.admin("/switches", Map.of("redirect_uploads", true, "max_artifact_bytes", 10));
        Answer redirect = job.upload("artifact_type=archive", new byte[100]);
        assertThat(redirect.status()).isEqualTo(307);
        assertThat(redirect.header("Location")).startsWith(gitlab.server.url());
        gitlab.admin("/switches", Map.of("redirect_uploads", false));
        assertThat(job.upload("artifact_type=archive", new byte[100]).status()).isEqualTo(413);
    }

    @Test
    void laterVariablesWin() {
        gitlab.root("POST", "/projects/" + project + "/variables", Map.of("key", "WHO", "value", "project"));
        gitlab.root(
                "POST",
                "/projects/" + project + "/variables",
                Map.of("key", "FILE", "value", "content", "variable_type", "file"));
        gitlab.push(project, """
                variables: {WHO: global, GLOBAL: global}
                a: {tags: [s], script: x, timeout: 20 minutes, variables: {WHO: job}}
                """);
        Job job = gitlab.runner(project, "s").start();
        assertThat(job.variables()).containsEntry("WHO", "project").containsEntry("GLOBAL", "global");
        assertThat(job.variables()).containsEntry("CI_JOB_ID", Long.toString(job.id()));
        assertThat(job.payload().path("runner_info").path("timeout").asInt()).isEqualTo(1200);
        assertThat(job.payload().path("variables"))
                .anyMatch(one -> one.path("key").asText().equals("FILE")
                        && one.path("file").asBoolean());
        assertThat(job.payload().has("run")).isFalse();
    }

    @Test
    void finalStatesCanBeDelayedAndLogsAskedForAgain() {
        gitlab.push(project, "a: {tags: [s], script: x}\n");
        Job job = gitlab.runner(project, "s").start();
        gitlab.admin("/switches", Map.of("accept_finals", 1, "reject_checksums", 1));
        job.log(0, "text");
        assertThat(job.succeed().status()).isEqualTo(412);
        assertThat(job.log(0, "text").status()).isEqualTo(202);
        assertThat(job.succeed().status()).isEqualTo(202);
        assertThat(job.succeed().status()).isEqualTo(200);
    }

    @Test
    void runnersThatAskTooOftenAreToldWhenToComeBack() {
        gitlab.admin("/switches", Map.of("jobs_request_limit", 2));
        TestRunner runner = gitlab.runner(project, "s");
        runner.ask("");
        runner.ask("");
        Answer limited = runner.ask("");
        // A minute may have turned between the calls; the third within one is refused.
        if (limited.status() != 429) {
            runner.ask("");
            limited = runner.ask("");
        }
        assertThat(limited.status()).isEqualTo(429);
        assertThat(Integer.parseInt(limited.header("Retry-After"))).isBetween(1, 60);
    }
}
