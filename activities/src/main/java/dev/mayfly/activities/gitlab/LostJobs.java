package dev.mayfly.activities.gitlab;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.job.JobKey;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Speaks the runner's protocol for a job whose host is LOST, with the job's own token: a line in its log that says why,
 * then the end. GitLab refuses that token from then on, which fences a VM that lives on unseen.
 */
final class LostJobs {

    /** {@code Range: 0-<length>} names how much of the log GitLab has. */
    private static final Pattern RANGE = Pattern.compile("0-([0-9]+)");

    private final GitLabs gitlabs;
    private final ObjectMapper json = new ObjectMapper();

    LostJobs(GitLabs gitlabs) {
        this.gitlabs = gitlabs;
    }

    /** Fails the job; does nothing if GitLab says that it has ended. */
    void fail(JobKey job, String token, String reason) {
        HttpClient client = HttpClient.newBuilder()
                .sslContext(gitlabs.tls(job.instance()))
                .connectTimeout(gitlabs.connectTimeout())
                .build();
        try {
            // A claim that was never committed is committed first: GitLab takes an end only from a running job.
            if (put(client, job, Map.of("token", token, "state", "running")) && log(client, job, token, reason)) {
                put(client, job, Map.of("token", token, "state", "failed", "failure_reason", "runner_system_failure"));
            }
        } catch (IOException e) {
            throw FailureType.GITLAB_UNAVAILABLE.failure(
                    "failing job %s: no answer of GitLab: %s".formatted(job, e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw FailureType.GITLAB_UNAVAILABLE.failure("failing job %s: interrupted".formatted(job), e);
        }
    }

    /** False if the job has ended. */
    private boolean put(HttpClient client, JobKey job, Map<String, String> body)
            throws IOException, InterruptedException {
        HttpRequest request = request(job, "")
                .header("Content-Type", "application/json")
                .PUT(BodyPublishers.ofByteArray(json.writeValueAsBytes(body)))
                .build();
        return isTaken(job, client.send(request, BodyHandlers.ofString()));
    }

    /** Appends one line where GitLab says that its log ends. False if the job has ended. */
    private boolean log(HttpClient client, JobKey job, String token, String reason)
            throws IOException, InterruptedException {
        byte[] line = ("\nMayfly: " + reason + "\n").getBytes(StandardCharsets.UTF_8);
        HttpResponse<String> answer = append(client, job, token, line, 0);
        Optional<Long> end = answer.headers().firstValue("Range").flatMap(LostJobs::length);
        if (answer.statusCode() == 416 && end.isPresent()) {
            answer = append(client, job, token, line, end.get());
        }
        return isTaken(job, answer);
    }

    private HttpResponse<String> append(HttpClient client, JobKey job, String token, byte[] line, long from)
            throws IOException, InterruptedException {
        HttpRequest request = request(job, "/trace")
                .header("JOB-TOKEN", token)
                .header("Content-Type", "text/plain")
                .header("Content-Range", "%d-%d".formatted(from, from + line.length - 1))
                .method("PATCH", BodyPublishers.ofByteArray(line))
                .build();
        return client.send(request, BodyHandlers.ofString());
    }

    private static Optional<Long> length(String range) {
        Matcher matcher = RANGE.matcher(range);
        return matcher.matches() ? Optional.of(Long.parseLong(matcher.group(1))) : Optional.empty();
    }

    private HttpRequest.Builder request(JobKey job, String path) {
        String url =
                "%s/api/v4/jobs/%d%s".formatted(gitlabs.instance(job.instance()).url(), job.jobId(), path);
        return HttpRequest.newBuilder(URI.create(url)).timeout(gitlabs.readTimeout());
    }

    private static boolean isTaken(JobKey job, HttpResponse<String> answer) {
        int status = answer.statusCode();
        if (status == 403 || status == 404) {
            return false;
        }
        if (GitLabErrors.isRetryable(status)) {
            throw GitLabErrors.failure(
                    "failing job " + job,
                    status,
                    "GitLab does not take it now",
                    answer.headers().firstValue("Retry-After").orElse(null));
        }
        // 400: the job runs already; 416: the log is said to end elsewhere, and the line is not worth the end
        return true;
    }
}
