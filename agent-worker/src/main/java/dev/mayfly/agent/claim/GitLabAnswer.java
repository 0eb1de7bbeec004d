package dev.mayfly.agent.claim;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** GitLab's answer to one call of the runner protocol, its body read to the end. */
final class GitLabAnswer {

    private static final Pattern RANGE = Pattern.compile("0-(\\d{1,18})");

    private final HttpResponse<byte[]> response;

    GitLabAnswer(HttpResponse<byte[]> response) {
        this.response = response;
    }

    int status() {
        return response.statusCode();
    }

    /** May hold secrets. */
    byte[] body() {
        return response.body();
    }

    /** What the answer asks for, null if nothing. */
    @Nullable
    Duration retryAfter() {
        return response.headers()
                .firstValue("Retry-After")
                .flatMap(GitLabAnswer::seconds)
                .orElse(null);
    }

    /** The size of the job's log as the {@code Range} header tells, null if it doesn't. */
    @Nullable
    Long logSize() {
        return response.headers()
                .firstValue("Range")
                .flatMap(GitLabAnswer::size)
                .orElse(null);
    }

    /** The job is not ours any more: it has ended, or is gone. */
    boolean saysEnded() {
        return status() == 403 || status() == 404;
    }

    /** The same call may be answered otherwise a little later. */
    boolean mayPass() {
        return mayPass(status());
    }

    static boolean mayPass(int status) {
        return status == 429 || status >= 500;
    }

    /** To a request for a job: the runner is none, or none any more. */
    boolean refusesRunner() {
        return status() == 401 || status() == 403 || status() == 422;
    }

    @Override
    public String toString() {
        return "HTTP " + status();
    }

    private static Optional<Duration> seconds(String header) {
        // A date is allowed too, but neither GitLab nor its front ends send one.
        return header.matches("\\d{1,6}") ? Optional.of(Duration.ofSeconds(Long.parseLong(header))) : Optional.empty();
    }

    private static Optional<Long> size(String header) {
        Matcher range = RANGE.matcher(header);
        return range.matches() ? Optional.of(Long.parseLong(range.group(1))) : Optional.empty();
    }
}
