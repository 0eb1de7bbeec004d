package dev.mayfly.activities.gitlab;

import dev.mayfly.workflows.activity.FailureType;
import io.temporal.failure.ApplicationFailure;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.gitlab4j.api.GitLabApiException;
import org.jspecify.annotations.Nullable;

/** What an error of GitLab's means: whether trying again may cure it, and what a person should do. One table. */
public final class GitLabErrors {

    static final int NOT_FOUND = 404;
    private static final int TOO_MANY = 429;
    private static final Duration LONGEST_DELAY = Duration.ofMinutes(10);

    private GitLabErrors() {}

    /**
     * The failure to throw out of an activity.
     *
     * @param doing what was tried, such as {@code creating a runner in acme/app of GitLab main}
     */
    static ApplicationFailure failure(String doing, GitLabApiException error) {
        return failure(doing, error.getHttpStatus(), String.valueOf(error.getMessage()), retryAfter(error));
    }

    /** As the shorter one, for an answer to a client that is not gitlab4j's. */
    static ApplicationFailure failure(String doing, int status, String message, @Nullable String retryAfter) {
        FailureType type = isRetryable(status) ? FailureType.GITLAB_UNAVAILABLE : FailureType.GITLAB_REFUSED;
        ApplicationFailure.Builder failure = ApplicationFailure.newBuilder()
                .setMessage("%s: %s".formatted(doing, explain(status, message)))
                .setType(type.name())
                .setNonRetryable(type == FailureType.GITLAB_REFUSED);
        Duration delay = retryAfter == null || type == FailureType.GITLAB_REFUSED ? null : seconds(retryAfter);
        if (delay != null) {
            failure.setNextRetryDelay(delay);
        }
        return failure.build();
    }

    /**
     * 408, 425, 429 and 5xx pass, and so does having no connection, which gitlab4j reports as status 0. 409 and 412 are
     * GitLab's words for "somebody else is at it".
     */
    static boolean isRetryable(int status) {
        return switch (status) {
            case 0, 408, 409, 412, 425, TOO_MANY -> true;
            default -> status >= 500;
        };
    }

    /** What happened and what to do about it, in one line. */
    public static String inWords(String doing, GitLabApiException error) {
        return "%s: %s".formatted(doing, explain(error.getHttpStatus(), String.valueOf(error.getMessage())));
    }

    private static String explain(int status, String text) {
        // gitlab4j puts the name of the exception before what has no status
        String message = text.replaceFirst("^[a-z][\\w.]*Exception: ", "");
        String cure = switch (status) {
            case 0 -> "no answer; can the control plane reach GitLab, and does it trust its certificate?";
            case 401 -> "the access token is wrong, expired or revoked; configure a valid one";
            case 403 ->
                message.contains("insufficient_scope")
                        ? "the access token lacks the scope api; configure one that has it"
                        : "the access token's user may not do this; give it the role Maintainer or Owner in the project";
            case NOT_FOUND -> "it does not exist, or the access token may not see it";
            case TOO_MANY -> "GitLab limits our requests; trying again later";
            default -> isRetryable(status) ? "trying again" : "GitLab will not take this request; see its message";
        };
        return "%s%s (%s)".formatted(status == 0 ? "" : status + " ", message, cure);
    }

    /** In seconds, which is how GitLab writes it. */
    private static @Nullable String retryAfter(GitLabApiException error) {
        Map<String, List<String>> headers = Objects.requireNonNullElse(error.getHeaders(), Map.of());
        return headers.entrySet().stream()
                .filter(header -> header.getKey().equalsIgnoreCase("Retry-After"))
                .map(header -> header.getValue().get(0))
                .findFirst()
                .orElse(null);
    }

    private static @Nullable Duration seconds(String text) {
        if (!text.matches("[0-9]{1,6}")) {
            return null;
        }
        Duration delay = Duration.ofSeconds(Long.parseLong(text));
        return delay.compareTo(LONGEST_DELAY) > 0 ? LONGEST_DELAY : delay;
    }
}
