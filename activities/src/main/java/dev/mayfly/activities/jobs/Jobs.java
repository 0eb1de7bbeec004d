package dev.mayfly.activities.jobs;

import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.mapper.reflect.ConstructorMapper;
import org.jdbi.v3.core.statement.Query;
import org.jspecify.annotations.Nullable;

/**
 * The job rows: a projection for REST and the dashboard, and the real dedupe of workflow starts, since Temporal forgets
 * closed workflows. Webhook handling, reconciler and REST use them; all calls are idempotent.
 */
public final class Jobs {

    private static final String UNFINISHED =
            "job.finished_at is null and job.left_at is null and job.refusal is null and job.status_rank < 5";

    private final Jdbi jdbi;
    private final Clock clock;

    public Jobs(Jdbi jdbi, Clock clock) {
        this.jdbi = jdbi;
        this.clock = clock;
    }

    /** What may still become of a job. */
    public enum Standing {
        /** Never seen. */
        UNKNOWN,
        /** A workflow may be started for it. */
        OPEN,
        /** GitLab said that it has ended. */
        ENDED,
        /** It was refused, or its workflow is done with it. */
        CLOSED
    }

    /**
     * Ensures the job's row and records its status; facts of a known job are refreshed until it is queued.
     *
     * @return as it stands then
     */
    public Standing upsertSeen(CiJob job, String status) {
        return jdbi.inTransaction(handle -> {
            // Not worth a wait for the disk: the job's first hold ensures the row anew, and GitLab is asked again.
            handle.execute("set local synchronous_commit = off");
            if (seen(handle.attach(JobDao.class), job, status)) {
                return StatusRank.of(status) >= StatusRank.FINAL ? Standing.ENDED : Standing.OPEN;
            }
            return standing(handle, job.key());
        });
    }

    /** As {@link #upsertSeen}, for a job that asks for us but can't be served. */
    public void refuse(CiJob job, String status, String reason) {
        jdbi.useTransaction(handle -> {
            JobDao dao = handle.attach(JobDao.class);
            seen(dao, job, status);
            dao.refuse(job.key().workflowId(), reason);
        });
    }

    /** Whether it was new. */
    private boolean seen(JobDao dao, CiJob job, String status) {
        int rank = StatusRank.of(status);
        if (dao.ensure(job, status, rank, clock.instant())) {
            return true;
        }
        dao.refresh(job);
        dao.recordStatus(job.key().workflowId(), status, rank);
        return false;
    }

    /**
     * Records what GitLab says; a status of lower rank than the one known is ignored, since webhooks are reordered.
     *
     * @return false if the job is unknown or the status is older than what is known
     */
    public boolean recordStatus(JobKey job, String status) {
        return jdbi.withExtension(
                        JobDao.class, dao -> dao.recordStatus(job.workflowId(), status, StatusRank.of(status)))
                > 0;
    }

    public Standing standing(JobKey job) {
        return jdbi.withHandle(handle -> standing(handle, job));
    }

    private static Standing standing(Handle handle, JobKey job) {
        return handle.createQuery(
                        "select case when status_rank >= %d then 'ENDED' when %s then 'OPEN' else 'CLOSED' end from job where key = :key"
                                .formatted(StatusRank.FINAL, UNFINISHED))
                .bind("key", job.workflowId())
                .mapTo(Standing.class)
                .findOne()
                .orElse(Standing.UNKNOWN);
    }

    public Optional<JobView> find(JobKey job) {
        return query("where job.key = :key", query -> query.bind("key", job.workflowId())).stream()
                .findFirst();
    }

    /** Jobs with this GitLab job id: one, unless several instances use the same number. */
    public List<JobView> findByJobId(long jobId) {
        return query("where job.job_id = :id order by job.key", query -> query.bind("id", jobId));
    }

    /**
     * A page of jobs.
     *
     * @param after the cursor that the page before gave, null for the first
     * @throws IllegalArgumentException if {@code after} is no cursor
     */
    public JobPage list(JobFilter filter, int limit, @Nullable String after) {
        JobCursor cursor = after == null ? null : JobCursor.parse(after);
        List<JobView> found = query(
                """
                where (cast(:instance as text) is null or job.instance = :instance)
                  and (cast(:project as text) is null or job.project_path = :project)
                  and (cast(:status as text) is null or job.status = :status)
                  and (cast(:phase as text) is null or job.phase = :phase)
                  and (cast(:pipeline as bigint) is null or job.pipeline_id = :pipeline)
                  and (cast(:host as text) is null
                       or exists (select from slot where slot.id = job.slot_id and slot.host_id = :host))
                  and (not :unfinished or (%s))
                  and (cast(:key as text) is null or (job.seen_at, job.key) < (:seen, :key))
                order by job.seen_at desc, job.key desc limit :limit""".formatted(UNFINISHED),
                query -> query.bind("instance", filter.instance())
                        .bind("project", filter.projectPath())
                        .bind("status", filter.status())
                        .bind("phase", filter.phase())
                        .bind("pipeline", filter.pipelineId())
                        .bind("host", filter.hostId())
                        .bind("unfinished", filter.unfinished())
                        .bind("seen", cursor == null ? Instant.EPOCH : cursor.seenAt())
                        .bind("key", cursor == null ? null : cursor.key())
                        .bind("limit", limit + 1));
        boolean more = found.size() > limit;
        List<JobView> page = more ? found.subList(0, limit) : found;
        return new JobPage(page, more ? JobCursor.after(page.get(limit - 1)).text() : null);
    }

    /** Jobs that should have a running workflow: seen, not refused, not final, not done; for the reconciler. */
    public List<JobView> unfinished(int limit) {
        return query("where " + UNFINISHED + " order by job.seen_at limit :limit", query -> query.bind("limit", limit));
    }

    /** Projects with jobs seen within this time; the reconciler polls them. */
    public List<Project> activeProjects(Duration within) {
        Instant since = clock.instant().minus(within);
        return jdbi.withHandle(handle -> handle.createQuery("""
                        select instance, project_id, max(project_path) as project_path from job
                        where seen_at >= :since or finished_at >= :since or (%s)
                        group by instance, project_id order by instance, project_id""".formatted(UNFINISHED))
                .bind("since", since)
                .map(ConstructorMapper.of(Project.class))
                .list());
    }

    /** A project that had jobs for us. */
    public record Project(String instance, long projectId, String projectPath) {}

    private List<JobView> query(String conditions, Consumer<Query> bindings) {
        return jdbi.withHandle(handle -> {
            Query query = handle.createQuery(JobViewMapper.SELECT + conditions);
            bindings.accept(query);
            return query.map(new JobViewMapper()).list();
        });
    }
}
