package dev.mayfly.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.testkit.gitlab.GitUser;
import dev.mayfly.testkit.gitlab.SimulatedGitLab;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** A project in the simulated GitLab, and what its users do with it. */
public final class TestProject {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final SimulatedGitLab gitlab;
    private final String path;
    private final long id;
    private final Map<String, Long> jobs = new LinkedHashMap<>();
    private final HttpClient http = HttpClient.newHttpClient();

    public TestProject(SimulatedGitLab gitlab, String path) {
        this.gitlab = gitlab;
        this.path = path;
        int slash = path.lastIndexOf('/');
        this.id = call(
                        "POST",
                        "/projects",
                        Map.of("path", path.substring(slash + 1), "namespace_path", path.substring(0, slash)))
                .path("id")
                .asLong();
    }

    public long id() {
        return id;
    }

    public String path() {
        return path;
    }

    /** The ids of the jobs pushed, by their names. */
    public Map<String, Long> jobs() {
        return jobs;
    }

    public long job(String name) {
        Long job = jobs.get(name);
        if (job == null) {
            throw new AssertionError("no job %s, only %s".formatted(name, jobs.keySet()));
        }
        return job;
    }

    /** Pushes a pipeline. */
    public void push(Path work, String yaml) {
        try {
            Path repository = Files.createTempDirectory(work, "repository");
            GitUser.rootOf(gitlab).push(repository, path, Map.of(".gitlab-ci.yml", yaml));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (JsonNode job : call("GET", "/projects/" + id + "/jobs?per_page=100", Map.of())) {
            jobs.putIfAbsent(job.path("name").asText(), job.path("id").asLong());
        }
    }

    /** GitLab's event that this job has this status. */
    public String event(long job, String status) {
        return """
                {"object_kind":"build","build_id":%d,"build_status":"%s","project_id":%d,"retries_count":0}""".formatted(job, status, id);
    }

    /** Makes a runner of this project; its number. */
    public long createRunner(String description) {
        return call(
                        "POST",
                        "/user/runners",
                        Map.of(
                                "runner_type",
                                "project_type",
                                "project_id",
                                id,
                                "tag_list",
                                "a",
                                "description",
                                description))
                .path("id")
                .asLong();
    }

    /** A call of GitLab's REST by root. */
    public JsonNode call(String method, String apiPath, Object body) {
        try {
            HttpRequest request = HttpRequest.newBuilder(URI.create(gitlab.url() + "/api/v4" + apiPath))
                    .header("PRIVATE-TOKEN", gitlab.rootToken())
                    .header("Content-Type", "application/json")
                    .method(method, HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)))
                    .build();
            HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() >= 300) {
                throw new AssertionError(method + " " + apiPath + ": " + response.statusCode() + " " + response.body());
            }
            return JSON.readTree(response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
