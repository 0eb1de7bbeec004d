package dev.mayfly.testkit.gitlab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * GitLab's own runner runs jobs of a simulated GitLab; {@code GITLAB_RUNNER} names its binary. v15.4.2 knows neither
 * two-phase commit nor graceful cancelling: a server that has them must serve it all the same.
 */
@EnabledIfEnvironmentVariable(named = "GITLAB_RUNNER", matches = ".+")
class OfficialRunnerTest {
    private static final String YAML = """
            default: {tags: [t, shell]}
            stages: [build, test, slow]
            build:
              stage: build
              script: [mkdir out, 'echo "$CI_COMMIT_SHA" > out/sha', 'echo FROM_BUILD=yes > out/env', 'head -c 20000000 /dev/urandom > out/big']
              artifacts: {paths: [out], expire_in: 1 day, reports: {dotenv: out/env}}
            test:
              stage: test
              needs: [build]
              script: ['test "$(cat out/sha)" = "$CI_COMMIT_SHA"', 'test -s out/big', 'test "$FROM_BUILD" = yes', 'echo secret is $SECRET', 'cat "$FILE"']
              after_script: ['echo after it']
            fails: {stage: test, script: ['exit 3'], allow_failure: {exit_codes: 3}}
            slow: {stage: slow, script: ['for i in $(seq 300); do echo begun; sleep 1; done']}
            """;

    @TempDir
    Path work;

    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void itBuildsTestsFailsAndIsCancelled(boolean twoPhase) throws Exception {
        TestGitLab gitlab = new TestGitLab(work, options -> options.withTwoPhase(twoPhase, 120));
        open.add(gitlab);
        long project = gitlab.createProject("acme/app");
        String variables = "/projects/" + project + "/variables";
        gitlab.root("POST", variables, Map.of("key", "SECRET", "value", "do-not-show-this", "masked", true));
        gitlab.root("POST", variables, Map.of("key", "FILE", "value", "in a file", "variable_type", "file"));
        long pipeline = gitlab.push(project, YAML);
        Process runner = runner(gitlab, gitlab.runner(project, "t", "shell").token);
        open.add(runner::destroyForcibly);
        TestGitLab.await("the slow job's first line", () -> isSlowJobUnderWay(gitlab, project));
        long slow = gitlab.job(project, "slow").path("id").asLong();
        gitlab.root("POST", "/projects/%d/jobs/%d/cancel".formatted(project, slow), null);
        assertThat(runner.waitFor(60, TimeUnit.SECONDS)).isTrue();

        assertThat(gitlab.statuses(project, pipeline))
                .isEqualTo(Map.of("build", "success", "test", "success", "fails", "failed", "slow", "canceled"));
        JsonNode build = gitlab.job(project, "build");
        assertThat(build.path("artifacts_file").path("size").asLong()).isGreaterThan(20_000_000);
        assertThat(build.path("runner_manager").path("version").asText()).isNotEmpty();
        String log = log(gitlab, project, "test");
        assertThat(log).contains("secret is [MASKED]", "in a file", "after it", "Job succeeded");
        assertThat(log).doesNotContain("do-not-show-this");
        JsonNode failed = gitlab.job(project, "fails");
        assertThat(failed.path("failure_reason").asText()).isEqualTo("script_failure");
        assertThat(failed.path("allow_failure").asBoolean()).isTrue();
    }

    private static boolean isSlowJobUnderWay(TestGitLab gitlab, long project) {
        return log(gitlab, project, "slow").contains("begun");
    }

    private static String log(TestGitLab gitlab, long project, String job) {
        long id = gitlab.job(project, job).path("id").asLong();
        return gitlab.root("GET", "/projects/%d/jobs/%d/trace".formatted(project, id), null)
                .body();
    }

    private Process runner(TestGitLab gitlab, String token) throws IOException {
        Path home = Files.createDirectories(work.resolve("runner"));
        ProcessBuilder builder = new ProcessBuilder(
                        System.getenv("GITLAB_RUNNER"),
                        "run-single",
                        "--url",
                        gitlab.server.url(),
                        "--executor",
                        "shell",
                        "--shell",
                        "bash",
                        "--builds-dir",
                        home.resolve("builds").toString(),
                        "--cache-dir",
                        home.resolve("cache").toString(),
                        "--name",
                        "official",
                        "--max-builds",
                        "4",
                        "--wait-timeout",
                        "60")
                .redirectErrorStream(true)
                .redirectOutput(home.resolve("log").toFile())
                .directory(home.toFile());
        builder.environment().put("CI_SERVER_TOKEN", token);
        builder.environment().put("HOME", home.toString());
        return builder.start();
    }
}
