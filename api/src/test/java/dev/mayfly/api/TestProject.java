package dev.mayfly.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.testkit.gitlab.SimulatedGitLab;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
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
            Files.writeString(repository.resolve(".gitlab-ci.yml"), yaml);
            git(repository, "init", "--quiet", "--initial-branch=main");
            git(repository, "add", ".");
            git(repository, "commit", "--quiet", "--message=first");
            git(repository, "push", "--quiet", "--force", gitlab.url() + "/" + path + ".git", "HEAD:refs/heads/main");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (JsonNode job : call("GET", "/projects/" + id + "/jobs?per_page=100", Map.of())) {
            jobs.putIfAbsent(job.path("name").asText(), job.path("id").asLong());
        }
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

    private void git(Path folder, String... arguments) {
        List<String> command = new ArrayList<>(List.of("git"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        String credentials =
                Base64.getEncoder().encodeToString(("root:" + gitlab.rootToken()).getBytes(StandardCharsets.UTF_8));
        Map<String, String> env = builder.environment();
        env.put("GIT_CONFIG_COUNT", "1");
        env.put("GIT_CONFIG_KEY_0", "http.extraHeader");
        env.put("GIT_CONFIG_VALUE_0", "Authorization: Basic " + credentials);
        for (String who : List.of("AUTHOR", "COMMITTER")) {
            env.put("GIT_" + who + "_NAME", "Ann");
            env.put("GIT_" + who + "_EMAIL", "ann@example.com");
        }
        try {
            Process process = builder.start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new AssertionError(String.join(" ", command) + ": " + output);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
