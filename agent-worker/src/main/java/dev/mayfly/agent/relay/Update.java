package dev.mayfly.agent.relay;

import org.jspecify.annotations.Nullable;

/**
 * A PUT or PATCH of the guest, and GitLab's answer to it.
 *
 * @param state what it said of the job: {@code running, success, failed}; null for a piece of log
 * @param withJobToken whether it carried the job's own token; GitLab's answer to any other says nothing of the job
 * @param status of GitLab's answer
 * @param jobStatus what GitLab's answer says of the job, null if nothing
 */
public record Update(
        @Nullable String state,
        boolean withJobToken,
        int status,
        @Nullable String jobStatus) {}
