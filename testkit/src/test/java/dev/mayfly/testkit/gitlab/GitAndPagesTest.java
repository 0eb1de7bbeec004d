package dev.mayfly.testkit.gitlab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.testkit.gitlab.TestRunner.Job;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What git and a browser see. */
class GitAndPagesTest extends WithGitLab {
    private long project;

    @BeforeEach
    void start() {
        project = gitlab.createProject("acme/app");
    }

    @Test
    void aRunningJobsTokenClonesAndAnEndedOnesDoesNot() {
        gitlab.push(project, "a: {tags: [t], script: x}\n");
        Job job = gitlab.runner(project, "t").start();
        URI url = URI.create(job.payload().path("git_info").path("repo_url").asText());
        assertThat(url.getUserInfo()).isEqualTo("gitlab-ci-token:" + job.token());
        clone(url.toString(), "one");
        assertThat(work.resolve("one/README")).hasContent("hello");
        job.succeed();
        assertThatThrownBy(() -> clone(url.toString(), "two")).isInstanceOf(AssertionError.class);
    }

    @Test
    void aJobsTokenPushesNothing() throws IOException {
        gitlab.push(project, "a: {tags: [t], script: x}\n");
        Job job = gitlab.runner(project, "t").start();
        String url = job.payload().path("git_info").path("repo_url").asText();
        clone(url, "one");
        Files.writeString(work.resolve("one/new"), "x");
        git("one", "add", ".");
        git("one", "commit", "--quiet", "--message=x");
        assertThatThrownBy(() -> git("one", "push", "--quiet", url, "HEAD:refs/heads/main"))
                .isInstanceOf(AssertionError.class);
    }

    @Test
    void largeFilesAreFetchedWithAJobsTokenAndStoredWithAUsers() throws IOException {
        Path repository = work.resolve("large");
        Files.createDirectories(repository);
        gitlab.git(repository, "init", "--quiet", "--initial-branch=main");
        gitlab.git(repository, "lfs", "install", "--local");
        gitlab.git(repository, "lfs", "track", "*.bin");
        Files.writeString(repository.resolve("big.bin"), "large content\n");
        Files.writeString(repository.resolve(".gitlab-ci.yml"), "a: {tags: [t], script: x}\n");
        gitlab.git(repository, "add", ".");
        gitlab.git(repository, "commit", "--quiet", "--message=large");
        gitlab.pushCommit(project, repository, "main");
        Job job = gitlab.runner(project, "t").start();
        String url = job.payload().path("git_info").path("repo_url").asText();
        git(".", "-c", "filter.lfs.process=git-lfs filter-process", "clone", "--quiet", url, "plain");
        assertThat(gitlab.git(work.resolve("plain"), "show", "HEAD:big.bin")).startsWith("version https://git-lfs");
        assertThat(work.resolve("plain/big.bin")).hasContent("large content\n");
        assertThat(gitlab.json(
                                "POST",
                                "/acme/app.git/info/lfs/objects/batch",
                                Map.of(),
                                Map.of("operation", "download", "objects", List.of()))
                        .status())
                .isEqualTo(401);
    }

    @Test
    void strangersSeeNothing() {
        assertThat(gitlab.send("GET", "/acme/app.git/info/refs?service=git-upload-pack", Map.of(), new byte[0])
                        .status())
                .isEqualTo(401);
    }

    @Test
    void aTagIsAPipelineOfItsOwnAndSkippedCommitsHaveNone() throws IOException {
        gitlab.push(project, "a: {tags: [t], script: x}\n");
        Path repository = work.resolve("repository-1");
        gitlab.git(repository, "tag", "v1");
        gitlab.git(repository, "push", "--quiet", gitlab.server.url() + "/acme/app.git", "v1");
        assertThat(gitlab.get("/projects/" + project + "/pipelines")
                        .path(0)
                        .path("ref")
                        .asText())
                .isEqualTo("v1");
        Files.writeString(repository.resolve("README"), "changed\n");
        gitlab.git(repository, "commit", "--quiet", "--all", "--message=quiet [ci skip]");
        gitlab.pushCommit(project, repository, "main");
        assertThat(gitlab.get("/projects/" + project + "/pipelines")).hasSize(2);
    }

    @Test
    void pagesShowProjectsPipelinesJobsAndLogsWithEverythingEscaped() {
        long pipeline = gitlab.push(project, "a<b>: {tags: [t], script: x}\n");
        Job job = gitlab.runner(project, "t").start();
        String log = """
                \u001b[32;1m$ green\u001b[0;m
                <script>alert(1)</script> & "more"
                section_start:1:x\r\u001b[0KHidden mark
                """;
        job.log(0, log);
        assertThat(page("/")).contains("href=\"/acme/app\"");
        assertThat(page("/acme/app")).contains("/acme/app/-/pipelines/" + pipeline, ">running<");
        assertThat(page("/acme/app/-/pipelines/" + pipeline)).contains("a&lt;b&gt;", ">running<");
        assertThat(page("/acme/app/-/jobs/" + job.id()))
                .contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;")
                .contains("<span class=\"green\">$ green</span>")
                .contains("Hidden mark")
                .doesNotContain("section_start", "<script>");
        assertThat(page("/acme/app/-/jobs/" + job.id() + "/raw")).isEqualTo(log);
        assertThat(gitlab.send("GET", "/acme/none", Map.of(), new byte[0]).status())
                .isEqualTo(404);
    }

    private String page(String path) {
        Answer answer = gitlab.send("GET", path, Map.of(), new byte[0]);
        assertThat(answer.status()).isEqualTo(200);
        return answer.body();
    }

    private void clone(String url, String folder) {
        git(".", "clone", "--quiet", url, folder);
    }

    /** Without the header of root's token that other calls of git have. */
    private void git(String folder, String... arguments) {
        String[] all = new String[arguments.length + 2];
        all[0] = "-c";
        all[1] = "http.extraHeader=";
        System.arraycopy(arguments, 0, all, 2, arguments.length);
        gitlab.git(work.resolve(folder), all);
    }
}
