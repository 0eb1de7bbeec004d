package dev.mayfly.workflows.activity;

import io.temporal.failure.ApplicationFailure;

/** The {@code type} of every {@link ApplicationFailure} that an activity throws on purpose. */
public enum FailureType {
    /** The host's epoch is another one: the grant is void. */
    WRONG_EPOCH(false),
    /** The slot was destroyed and can't come back. */
    TOMBSTONE(false),
    /** This host can't start this VM, now or soon: disk full, image missing. */
    HOST_UNFIT(false),
    /** Starting failed for a reason that may pass. */
    LAUNCH_FAILED(true),
    /** GitLab answered with an error that a retry may cure: 429, 5xx, no connection. */
    GITLAB_UNAVAILABLE(true),
    /** GitLab refused: wrong token, missing scope or role, or a request it will never take. */
    GITLAB_REFUSED(false);

    private final boolean retryable;

    FailureType(boolean retryable) {
        this.retryable = retryable;
    }

    /** A failure of this type; {@code message} says what happened, to which job or host, and the cure. */
    public ApplicationFailure failure(String message) {
        return retryable
                ? ApplicationFailure.newFailure(message, name())
                : ApplicationFailure.newNonRetryableFailure(message, name());
    }

    /** As {@link #failure(String)}, keeping what caused it. */
    public ApplicationFailure failure(String message, Throwable cause) {
        return retryable
                ? ApplicationFailure.newFailureWithCause(message, name(), cause)
                : ApplicationFailure.newNonRetryableFailureWithCause(message, name(), cause);
    }

    /** Whether {@code failure} is of this type. */
    public boolean is(ApplicationFailure failure) {
        return name().equals(failure.getType());
    }
}
