package dev.mayfly.activities.jobs;

import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import java.time.Instant;
import org.jdbi.v3.sqlobject.customizer.Bind;
import org.jdbi.v3.sqlobject.customizer.BindMethods;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;
import org.jspecify.annotations.Nullable;

/** Statements on the job table that more than one class needs; each within the caller's transaction. */
public interface JobDao {

    /** Ensures the row; a known job is left as it is, its status too. False if it was known. */
    @SqlUpdate("""
            insert into job (key, instance, project_id, job_id, project_path, name, stage, ref, sha, pipeline_id, web_url,
                user_name, tags, labels, arch, milli_cpus, memory_mib, disk_mib, executor, status, status_rank, seen_at)
            values (:job.key.workflowId, :job.key.instance, :job.key.projectId, :job.key.jobId, :job.projectPath,
                :job.name, :job.stage, :job.ref, :job.sha, :job.pipelineId, :job.webUrl, :job.user, :job.tags, :job.labels,
                :job.size?.arch?.tag, :job.size?.milliCpus, :job.size?.memoryMib, :job.size?.diskMib, :job.executor, :status, :rank, :now)
            on conflict (key) do nothing""")
    boolean ensure(
            @BindMethods("job") CiJob job,
            @Bind("status") String status,
            @Bind("rank") int rank,
            @Bind("now") Instant now);

    /** Ensures the row of a job whose status GitLab has not told. */
    default void ensure(CiJob job, Instant now) {
        ensure(job, "created", StatusRank.UNKNOWN, now);
    }

    /** Takes the facts of a known job anew; the size stays once the job has been queued. */
    @SqlUpdate("""
            update job set project_path = :job.projectPath, name = :job.name, stage = :job.stage, ref = :job.ref,
                sha = :job.sha, web_url = :job.webUrl, tags = :job.tags, labels = :job.labels, executor = :job.executor,
                arch = :job.size?.arch?.tag, milli_cpus = :job.size?.milliCpus, memory_mib = :job.size?.memoryMib, disk_mib = :job.size?.diskMib
            where key = :job.key.workflowId and phase is null
                and not exists (select from queue where job_key = :job.key.workflowId)""")
    void refresh(@BindMethods("job") CiJob job);

    @SqlUpdate("""
            update job set status = :status, status_rank = :rank
            where key = :key and (status_rank < :rank or (status_rank = :rank and :rank < 5))""")
    int recordStatus(@Bind("key") String key, @Bind("status") String status, @Bind("rank") int rank);

    @SqlUpdate("update job set refusal = :reason where key = :key and phase is null")
    int refuse(@Bind("key") String key, @Bind("reason") String reason);

    @SqlUpdate("update job set left_at = coalesce(left_at, :now) where key = :key")
    int leave(@Bind("key") String key, @Bind("now") Instant now);

    @SqlUpdate("update job set queued_at = :now where key = :key and queued_at is null")
    void queued(@Bind("key") String key, @Bind("now") Instant now);

    @SqlUpdate("update job set claimed_at = :now, slot_id = :slot where key = :key")
    void claimed(@Bind("key") String key, @Bind("slot") String slot, @Bind("now") Instant now);

    @SqlUpdate("""
            update job set phase = :phase, slot_id = coalesce(:slot, slot_id),
                queued_at = case when :phase = 'QUEUED' then coalesce(queued_at, :now) else queued_at end,
                launched_at = case when :phase = 'LAUNCHING' then :now else launched_at end,
                started_at = case when :phase = 'RUNNING' then coalesce(started_at, :now) else started_at end
            where key = :key and (phase is null or phase <> 'DONE')""")
    void recordPhase(
            @Bind("key") String key,
            @Bind("phase") JobPhase phase,
            @Bind("slot") @Nullable String slot,
            @Bind("now") Instant now);

    @SqlUpdate("""
            update job set phase = 'DONE', outcome = :result, outcome_slot = :slot, outcome_detail = :detail,
                slot_id = coalesce(:slot, slot_id), finished_at = :now
            where key = :key and (phase is null or phase <> 'DONE')""")
    void recordEnd(
            @Bind("key") String key,
            @Bind("result") JobOutcome.@Nullable Result result,
            @Bind("slot") @Nullable String slot,
            @Bind("detail") @Nullable String detail,
            @Bind("now") Instant now);
}
