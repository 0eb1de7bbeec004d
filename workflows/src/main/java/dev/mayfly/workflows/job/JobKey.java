package dev.mayfly.workflows.job;

import com.fasterxml.jackson.annotation.JsonIgnore;

/**
 * A GitLab job's identity. Job ids are unique per GitLab instance only, hence the instance's short configured name.
 *
 * @param instance the configured name of the GitLab instance, {@code [a-z0-9-]{1,32}}
 * @param projectId GitLab's numeric project id
 * @param jobId GitLab's numeric job (build) id
 */
public record JobKey(String instance, long projectId, long jobId) {

    private static final String SCHEME = "gitlab";

    /** The id of this job's workflow: {@code gitlab:<instance>:<projectId>:<jobId>}. */
    @JsonIgnore
    public String workflowId() {
        return "%s:%s:%d:%d".formatted(SCHEME, instance, projectId, jobId);
    }

    /**
     * The inverse of {@link #workflowId()}.
     *
     * @throws IllegalArgumentException if the text is not a job's workflow id
     */
    public static JobKey parse(String workflowId) {
        String[] parts = workflowId.split(":", -1);
        if (parts.length != 4 || !parts[0].equals(SCHEME) || parts[1].isEmpty()) {
            throw new IllegalArgumentException("not the workflow id of a job: " + workflowId);
        }
        return new JobKey(parts[1], Long.parseLong(parts[2]), Long.parseLong(parts[3]));
    }

    @Override
    public String toString() {
        return workflowId();
    }
}
