package dev.mayfly.demo.bench;

import dev.mayfly.demo.DemoDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the control plane's database says of jobs and slots, over one connection. */
final class ControlPlaneRecords implements AutoCloseable {

    private static final String JOBS = """
            with pending as materialized (
                select event ->> 'build_id' as job_id, min(received_at) as received_at
                from (select convert_from(body, 'UTF8')::jsonb as event, received_at from inbox) as deliveries
                where event ->> 'build_status' = 'pending' group by 1)
            select job.key, job.job_id, slot.id as slot_id, slot.released_at, runner.removed_at, pending.received_at
            from job
            join lateral (select * from slot where made_for = job.key order by created_at limit 1) slot on true
            left join runner on runner.slot_id = slot.id
            left join pending on pending.job_id = job.job_id::text
            order by job.job_id""";

    private final Connection connection;

    ControlPlaneRecords(DemoDatabase database) {
        try {
            connection = database.connect();
        } catch (SQLException e) {
            throw new IllegalStateException("can't reach the control plane's database: " + e.getMessage(), e);
        }
    }

    /**
     * A job and the first slot that was made for it.
     *
     * @param received when the webhook that said that it is pending came in; null if none did
     */
    record JobRecord(
            String workflowId,
            long jobId,
            String slotId,
            @Nullable Instant received,
            @Nullable Instant released,
            @Nullable Instant runnerRemoved) {}

    /** Every job that ever had a slot. */
    List<JobRecord> jobs() {
        return query(JOBS, rows -> {
            List<JobRecord> jobs = new ArrayList<>();
            while (rows.next()) {
                jobs.add(new JobRecord(
                        rows.getString("key"),
                        rows.getLong("job_id"),
                        rows.getString("slot_id"),
                        instant(rows, "received_at"),
                        instant(rows, "released_at"),
                        instant(rows, "removed_at")));
            }
            return jobs;
        });
    }

    /** Jobs whose workflow has said its last word. */
    int jobsDone() {
        return count("job where phase = 'DONE'");
    }

    /** Of every job, from the queue until nothing of it was left. */
    List<Duration> lives() {
        return query(
                "select extract(epoch from finished_at - queued_at) from job where phase = 'DONE' and queued_at is not null",
                rows -> {
                    List<Duration> lives = new ArrayList<>();
                    while (rows.next()) {
                        lives.add(Duration.ofMillis(Math.round(rows.getDouble(1) * 1000)));
                    }
                    return lives;
                });
    }

    /** @param what a table, and which of its rows */
    int count(String what) {
        return query("select count(*) from " + what, rows -> {
            rows.next();
            return rows.getInt(1);
        });
    }

    private static @Nullable Instant instant(ResultSet rows, String column) throws SQLException {
        Timestamp time = rows.getTimestamp(column);
        return time == null ? null : time.toInstant();
    }

    private <T> T query(String sql, Reading<T> reading) {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            return reading.of(rows);
        } catch (SQLException e) {
            throw new IllegalStateException("can't read the control plane's database: " + e.getMessage(), e);
        }
    }

    private interface Reading<T> {
        T of(ResultSet rows) throws SQLException;
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new IllegalStateException("the connection to the database does not close", e);
        }
    }
}
