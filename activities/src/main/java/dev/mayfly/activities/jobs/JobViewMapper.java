package dev.mayfly.activities.jobs;

import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import dev.mayfly.workflows.job.VmSize;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import org.jdbi.v3.core.mapper.RowMapper;
import org.jdbi.v3.core.statement.StatementContext;
import org.jspecify.annotations.Nullable;

/** A row of {@code job} with its host. */
final class JobViewMapper implements RowMapper<JobView> {

    /** What {@link #map} reads; conditions and order are to be added. */
    static final String SELECT =
            "select job.*, (select host_id from slot where slot.id = job.slot_id) as host_id from job ";

    @Override
    public JobView map(ResultSet row, StatementContext context) throws SQLException {
        String phase = row.getString("phase");
        return new JobView(
                ciJob(row),
                row.getString("status"),
                phase == null ? null : JobPhase.valueOf(phase),
                row.getString("refusal"),
                outcome(row),
                row.getString("slot_id"),
                row.getString("host_id"),
                row.getTimestamp("left_at") != null,
                row.getTimestamp("seen_at").toInstant(),
                time(row, "queued_at"),
                time(row, "launched_at"),
                time(row, "claimed_at"),
                time(row, "started_at"),
                time(row, "finished_at"));
    }

    private static CiJob ciJob(ResultSet row) throws SQLException {
        int milliCpus = row.getInt("milli_cpus");
        VmSize size = row.wasNull()
                ? null
                : new VmSize(
                        Arch.ofTag(row.getString("arch")), milliCpus, row.getInt("memory_mib"), row.getInt("disk_mib"));
        return new CiJob(
                new JobKey(row.getString("instance"), row.getLong("project_id"), row.getLong("job_id")),
                row.getString("project_path"),
                row.getString("name"),
                row.getString("stage"),
                row.getString("ref"),
                row.getString("sha"),
                row.getLong("pipeline_id"),
                row.getString("web_url"),
                row.getString("user_name"),
                List.of((String[]) row.getArray("tags").getArray()),
                size,
                Executor.valueOf(row.getString("executor")),
                List.of((String[]) row.getArray("labels").getArray()));
    }

    private static @Nullable JobOutcome outcome(ResultSet row) throws SQLException {
        String result = row.getString("outcome");
        return result == null
                ? null
                : new JobOutcome(
                        JobOutcome.Result.valueOf(result),
                        row.getString("outcome_slot"),
                        row.getString("outcome_detail"));
    }

    private static @Nullable Instant time(ResultSet row, String column) throws SQLException {
        Timestamp time = row.getTimestamp(column);
        return time == null ? null : time.toInstant();
    }
}
