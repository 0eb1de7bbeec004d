package dev.mayfly.testkit.gitlab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A simulated GitLab over plain http, and what users and runners do with it. */
final class TestGitLab implements AutoCloseable {
    final SettableClock clock = new SettableClock();
    final SimulatedGitLab server;
    private final Path work;
    private final HttpClient http = HttpClient.newHttpClient();
    private final GitUser user;
    private int repositories;

    TestGitLab(Path work) throws IOException {
        this(work, options -> options);
    }

    TestGitLab(Path work, UnaryOperator<SimulatedGitLabOptions> change) throws IOException {
        this.work = work;
        this.server = SimulatedGitLab.start(change.apply(
                SimulatedGitLabOptions.plainOnLoopback(work.resolve("gitlab")).withClock(clock)));
        this.user = GitUser.rootOf(server);
    }

    Answer send(String method, String path, Map<String, String> headers, byte[] body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.url() + path))
                .timeout(Duration.ofSeconds(90))
                .method(method, HttpRequest.BodyPublishers.ofByteArray(body));
        headers.forEach(request::header);
        try {
            HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            return new Answer(response.statusCode(), response.headers(), response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(method + " " + path, e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    Answer json(String method, String path, Map<String, String> headers, @Nullable Object body) {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.put("Content-Type", "application/json");
        try {
            return send(method, path, all, body == null ? new byte[0] : Answer.MAPPER.writeValueAsBytes(body));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** A call of REST by root. */
    Answer root(String method, String path, @Nullable Object body) {
        return json(method, "/api/v4" + path, Map.of("PRIVATE-TOKEN", server.rootToken()), body);
    }

    JsonNode get(String path) {
        Answer answer = root("GET", path, null);
        if (answer.status() != 200) {
            throw new AssertionError("GET " + path + ": " + answer.status() + " " + answer.body());
        }
        return answer.json();
    }

    void admin(String path, Object body) {
        Answer answer =
                json("PUT", "/-/simulated-gitlab/admin" + path, Map.of("PRIVATE-TOKEN", server.rootToken()), body);
        if (answer.status() != 200) {
            throw new AssertionError(path + ": " + answer.status() + " " + answer.body());
        }
    }

    long createProject(String fullPath) {
        int slash = fullPath.lastIndexOf('/');
        return root(
                        "POST",
                        "/projects",
                        Map.of("path", fullPath.substring(slash + 1), "namespace_path", fullPath.substring(0, slash)))
                .json()
                .path("id")
                .asLong();
    }

    /** Commits the configuration and a file, and pushes them; the pipeline's id. */
    long push(long project, String yaml) {
        Path repository = work.resolve("repository-" + ++repositories);
        user.push(repository, pathOf(project), Map.of(".gitlab-ci.yml", yaml, "README", "hello\n"));
        return get("/projects/" + project + "/pipelines").path(0).path("id").asLong();
    }

    void pushCommit(long project, Path repository, String ref) {
        user.pushCommit(repository, pathOf(project), ref);
    }

    private String pathOf(long project) {
        return get("/projects/" + project).path("path_with_namespace").asText();
    }

    String git(Path folder, String... arguments) {
        return user.git(folder, arguments);
    }

    /** Jobs' names and statuses in a pipeline, retried ones left out. */
    Map<String, String> statuses(long project, long pipeline) {
        Map<String, String> statuses = new LinkedHashMap<>();
        for (JsonNode job : get("/projects/%d/pipelines/%d/jobs?per_page=100".formatted(project, pipeline))) {
            statuses.put(job.path("name").asText(), job.path("status").asText());
        }
        return statuses;
    }

    String pipelineStatus(long project, long pipeline) {
        return get("/projects/%d/pipelines/%d".formatted(project, pipeline))
                .path("status")
                .asText();
    }

    JsonNode job(long project, String name) {
        for (JsonNode job : get("/projects/%d/jobs?per_page=100".formatted(project))) {
            if (job.path("name").asText().equals(name)) {
                return job;
            }
        }
        throw new AssertionError("no job " + name);
    }

    /** A project runner made as the control plane makes one. */
    TestRunner runner(long project, String... tags) {
        Answer made = root(
                "POST",
                "/user/runners",
                Map.of(
                        "runner_type",
                        "project_type",
                        "project_id",
                        project,
                        "locked",
                        true,
                        "run_untagged",
                        false,
                        "tag_list",
                        List.of(tags)));
        if (made.status() != 201) {
            throw new AssertionError("POST /user/runners: " + made.status() + " " + made.body());
        }
        return new TestRunner(
                this, made.json().path("id").asLong(), made.json().path("token").asText());
    }

    /** Waits for something that happens in the background. */
    static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("waited 20 s in vain for: " + what);
            }
            LockSupport.parkNanos(20_000_000);
        }
    }

    @Override
    public void close() {
        server.close();
    }
}
