package dev.mayfly.activities.gitlab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.activities.capacity.Fleet;
import dev.mayfly.testkit.gitlab.GitUser;
import dev.mayfly.testkit.gitlab.SimulatedGitLab;
import dev.mayfly.testkit.gitlab.SimulatedGitLabOptions;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A simulated GitLab with one project, what its users and runners do, and clients of the control plane's. */
final class OnGitLab implements AutoCloseable {

    static final String NAME = "gl";
    private static final ObjectMapper JSON = new ObjectMapper();

    final SimulatedGitLab server;
    final long project;
    private final Path work;
    private final HttpClient http = HttpClient.newHttpClient();

    OnGitLab(Path work) throws IOException {
        this(work, Clock.systemUTC());
    }

    /** @param clock of this GitLab */
    OnGitLab(Path work, Clock clock) throws IOException {
        this.work = work;
        this.server = SimulatedGitLab.start(
                SimulatedGitLabOptions.plainOnLoopback(work.resolve("gitlab")).withClock(clock));
        this.project = root("POST", "/api/v4/projects", Map.of("path", "app", "namespace_path", "acme"))
                .path("id")
                .asLong();
    }

    /** Clients with this access token; root's if it is null. */
    GitLabs clients(@Nullable String token) {
        return clients(server.url(), token == null ? server.rootToken() : token, Duration.ofSeconds(20));
    }

    static GitLabs clients(String url, String token, Duration timeout) {
        GitLabInstanceConfig config = new GitLabInstanceConfig(NAME, url, null, token, List.of(), List.of());
        return new GitLabs(List.of(config), timeout, timeout);
    }

    /** Pushes this configuration; the pipeline's jobs by their ids, in order. */
    List<JobKey> push(String yaml) throws IOException {
        Path repository = Files.createTempDirectory(work, "repository");
        GitUser.rootOf(server).push(repository, "acme/app", Map.of(".gitlab-ci.yml", yaml));
        return ids("/api/v4/projects/" + project + "/jobs?per_page=100").stream()
                .sorted()
                .map(id -> new JobKey(NAME, project, id))
                .toList();
    }

    private List<Long> ids(String path) {
        List<Long> ids = new ArrayList<>();
        root("GET", path, null).forEach(entry -> ids.add(entry.path("id").asLong()));
        return ids;
    }

    JsonNode job(JobKey job) {
        return root("GET", "/api/v4/projects/" + job.projectId() + "/jobs/" + job.jobId(), null);
    }

    /** The job as its workflow is told about it. */
    static CiJob ciJob(JobKey key, String... tags) {
        return new CiJob(
                key,
                "acme/app",
                "one",
                "test",
                "main",
                "a1b2c3",
                700,
                "https://gitlab.test/acme/app/-/jobs/" + key.jobId(),
                "ada",
                List.of(tags),
                Fleet.SMALL,
                Executor.SHELL,
                List.of());
    }

    String log(JobKey job) {
        return call(
                        "GET",
                        "/api/v4/projects/%d/jobs/%d/trace".formatted(job.projectId(), job.jobId()),
                        rootHeaders(),
                        null)
                .body();
    }

    JsonNode runner(long id) {
        return root("GET", "/api/v4/runners/" + id, null);
    }

    List<Long> runners() {
        return ids("/api/v4/projects/" + project + "/runners");
    }

    /** A project runner that somebody else made; its token. */
    String foreignRunner(String description, String... tags) {
        return root(
                        "POST",
                        "/api/v4/user/runners",
                        Map.of(
                                "runner_type",
                                "project_type",
                                "project_id",
                                project,
                                "run_untagged",
                                false,
                                "description",
                                description,
                                "tag_list",
                                List.of(tags)))
                .path("token")
                .asText();
    }

    /** The job that a runner with this token is handed; its token is in {@code token}. */
    JsonNode take(String runnerToken) {
        HttpResponse<String> answer = call(
                "POST",
                "/api/v4/jobs/request",
                Map.of(),
                Map.of(
                        "token",
                        runnerToken,
                        "system_id",
                        "s_0123456789ab",
                        "info",
                        Map.of("features", Map.of("two_phase_job_commit", true))));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
        return json(answer);
    }

    /** The tokens of this kind that were ever issued, oldest first. */
    List<String> issued(String kind) {
        List<String> tokens = new ArrayList<>();
        root("GET", "/-/simulated-gitlab/admin/tokens", null).forEach(token -> {
            if (token.path("kind").asText().equals(kind)) {
                tokens.add(token.path("token").asText());
            }
        });
        return tokens;
    }

    /** An access token of another user. */
    String accessToken(int accessLevel, String... scopes) {
        return root(
                        "POST",
                        "/-/simulated-gitlab/admin/tokens",
                        Map.of("username", "ann", "scopes", List.of(scopes), "access_level", accessLevel))
                .path("token")
                .asText();
    }

    /** All requests for this path go wrong from now on; none does without faults. */
    void faults(Map<?, ?>... faults) {
        root("PUT", "/-/simulated-gitlab/admin/http-faults", Map.of("faults", List.of(faults)));
    }

    JsonNode root(String method, String path, @Nullable Object body) {
        HttpResponse<String> answer = call(method, path, rootHeaders(), body);
        assertThat(answer.statusCode())
                .as("%s %s: %s", method, path, answer.body())
                .isBetween(200, 299);
        return json(answer);
    }

    HttpResponse<String> call(String method, String path, Map<String, String> headers, @Nullable Object body) {
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.url() + path))
                    .timeout(Duration.ofSeconds(30))
                    .header("Content-Type", "application/json")
                    .method(
                            method,
                            body == null
                                    ? BodyPublishers.noBody()
                                    : BodyPublishers.ofString(
                                            body instanceof String text ? text : JSON.writeValueAsString(body)));
            headers.forEach(request::setHeader);
            return http.send(request.build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new AssertionError(method + " " + path, e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private Map<String, String> rootHeaders() {
        return Map.of("PRIVATE-TOKEN", server.rootToken());
    }

    private static JsonNode json(HttpResponse<String> answer) {
        try {
            return JSON.readTree(answer.body());
        } catch (IOException e) {
            throw new AssertionError(answer.body(), e);
        }
    }

    @Override
    public void close() {
        server.close();
    }
}
