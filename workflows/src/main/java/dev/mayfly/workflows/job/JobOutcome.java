package dev.mayfly.workflows.job;

import org.jspecify.annotations.Nullable;

/**
 * How a job's workflow ended. A failed CI job is a completed workflow; only a fault of ours fails the workflow.
 *
 * @param result in one word how it ended
 * @param slotId the slot it held last, null if it never held one
 * @param detail one sentence for people: what happened, or GitLab's own status
 */
public record JobOutcome(Result result, @Nullable String slotId, String detail) {

    /** The values of the search attribute {@code CiOutcome}, in lower case with hyphens. */
    public enum Result {
        /** The runner reported success and GitLab took it. */
        SUCCEEDED,
        /** The job failed: its script, its configuration or its time-out. */
        FAILED,
        /** Cancelled in GitLab or by an administrator, or ended in GitLab before it ran here. */
        ENDED_IN_GITLAB,
        /** The VM or its host was lost while the job ran; the job was failed on its behalf. */
        VM_LOST,
        /** Another runner than ours took the job. */
        TAKEN_ELSEWHERE
    }

    /** {@code SUCCEEDED} as {@code succeeded}, {@code VM_LOST} as {@code vm-lost}. */
    public static String slug(Enum<?> value) {
        return value.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
