package dev.mayfly.activities.capacity;

import dev.mayfly.workflows.job.CiJob;
import org.jspecify.annotations.Nullable;

/**
 * The job that GitLab handed out, as looked up.
 *
 * @param job what it is; size null if none of its tags is ours
 * @param refusal why it can't be run here although its tags are ours, null if it can: such a claim is void
 */
public record ClaimedJob(CiJob job, @Nullable String refusal) {}
