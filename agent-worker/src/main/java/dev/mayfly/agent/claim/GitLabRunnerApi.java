package dev.mayfly.agent.claim;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The runner's side of GitLab's runner protocol, as far as the broker speaks it itself. One per GitLab instance; every
 * call is one attempt, returns at once, and reads GitLab's answer to its end.
 */
final class GitLabRunnerApi {

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http;
    private final URI base;
    private final Duration readTimeout;

    /** @param base the instance's URL, without {@code /api/v4} */
    GitLabRunnerApi(HttpClient http, URI base, Duration readTimeout) {
        this.http = http;
        this.base = base;
        this.readTimeout = readTimeout;
    }

    /** Asks for a job. Without {@code last_update}, so that GitLab answers at once instead of holding the request. */
    CompletableFuture<GitLabAnswer> requestJob(RunnerInfo runner, String runnerToken, String systemId) {
        ObjectNode body = json.createObjectNode().put("token", runnerToken).put("system_id", systemId);
        ObjectNode info = body.putObject("info")
                .put("name", runner.name())
                .put("version", runner.version())
                .put("revision", runner.revision())
                .put("platform", runner.platform())
                .put("architecture", runner.architecture())
                .put("executor", runner.askedFor().name().toLowerCase(Locale.ROOT))
                .put("shell", "bash");
        ObjectNode features = info.putObject("features");
        runner.features(runner.askedFor()).forEach(features::put);
        // The broker commits by itself, whatever the runner in the image can do.
        features.put("two_phase_job_commit", true);
        return send("POST", "jobs/request", body);
    }

    /** {@code pending}: 200 keeps a two-phase claim alive, 400 says that the job runs already, 403 that it is lost. */
    CompletableFuture<GitLabAnswer> pending(ClaimedJob job) {
        return update(job, "pending", null);
    }

    /** {@code running}: commits a two-phase claim, and is a harmless touch otherwise. */
    CompletableFuture<GitLabAnswer> running(ClaimedJob job) {
        return update(job, "running", null);
    }

    /** {@code failed}, without {@code output}: the broker doesn't know how long the log is. */
    CompletableFuture<GitLabAnswer> failed(ClaimedJob job, String reason) {
        return update(job, "failed", job.supportedReason(reason));
    }

    /** Appends to the job's log at {@code start}; 416 names the size at which GitLab would take it. */
    CompletableFuture<GitLabAnswer> append(ClaimedJob job, long start, byte[] text) {
        HttpRequest request = request("jobs/" + job.id() + "/trace")
                .header("Content-Type", "text/plain")
                .header("Content-Range", start + "-" + (start + text.length - 1))
                .header("JOB-TOKEN", job.token())
                .method("PATCH", BodyPublishers.ofByteArray(text))
                .build();
        return send(request);
    }

    private CompletableFuture<GitLabAnswer> update(ClaimedJob job, String state, @Nullable String reason) {
        ObjectNode body = json.createObjectNode().put("token", job.token()).put("state", state);
        if (reason != null) {
            body.put("failure_reason", reason);
        }
        return send("PUT", "jobs/" + job.id(), body);
    }

    private CompletableFuture<GitLabAnswer> send(String method, String path, ObjectNode body) {
        try {
            return send(request(path)
                    .header("Content-Type", "application/json")
                    .header("Accept", "application/json")
                    .method(method, BodyPublishers.ofByteArray(json.writeValueAsBytes(body)))
                    .build());
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("a JSON tree always has a text", e);
        }
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(base + "/api/v4/" + path)).timeout(readTimeout);
    }

    private CompletableFuture<GitLabAnswer> send(HttpRequest request) {
        return http.sendAsync(request, BodyHandlers.ofByteArray()).thenApply(GitLabAnswer::new);
    }
}
