package dev.mayfly.activities.jobs;

import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** The job rows. Webhook handling, reconciler and REST use them; all calls are idempotent. */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
public final class Jobs {

    public Jobs(Jdbi jdbi, Clock clock) {
        throw new UnsupportedOperationException("soon: " + jdbi + clock);
    }

    /** Ensures the job's row and records its status; facts of a known job are refreshed. */
    public void upsertSeen(CiJob job, String status) {
        throw new UnsupportedOperationException("soon: " + job + status);
    }

    /** As {@link #upsertSeen}, for a job that asks for us but can't be served. */
    public void refuse(CiJob job, String status, String reason) {
        throw new UnsupportedOperationException("soon: " + job + status + reason);
    }

    /**
     * Records what GitLab says; a status of lower rank than the one known is ignored, since webhooks are reordered.
     *
     * @return false if the job is unknown or the status is older than what is known
     */
    public boolean recordStatus(JobKey job, String status) {
        throw new UnsupportedOperationException("soon: " + job + status);
    }

    /** Whether GitLab said that the job has ended. */
    public boolean isFinal(JobKey job) {
        throw new UnsupportedOperationException("soon: " + job);
    }

    /** Whether a workflow may be started: the job is known, not refused, not ended and has not left. */
    public boolean mayStart(JobKey job) {
        throw new UnsupportedOperationException("soon: " + job);
    }

    public Optional<JobView> find(JobKey job) {
        throw new UnsupportedOperationException("soon: " + job);
    }

    /** Jobs with this GitLab job id: one, unless several instances use the same number. */
    public List<JobView> findByJobId(long jobId) {
        throw new UnsupportedOperationException("soon: " + jobId);
    }

    /** @param after the cursor that the page before gave, null for the first */
    public JobPage list(JobFilter filter, int limit, @Nullable String after) {
        throw new UnsupportedOperationException("soon: " + filter + limit + after);
    }

    /** Jobs that should have a running workflow: seen, not refused, not final, not done; for the reconciler. */
    public List<JobView> unfinished(int limit) {
        throw new UnsupportedOperationException("soon: " + limit);
    }

    /** Projects with jobs seen within this time; the reconciler polls them. */
    public List<Project> activeProjects(Duration within) {
        throw new UnsupportedOperationException("soon: " + within);
    }

    public record Project(String instance, long projectId, String projectPath) {}
}
