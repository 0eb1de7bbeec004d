package dev.mayfly.demo;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.stream.Collectors;

/** Looks into the control plane's database, past its API. */
final class Database {

    private Database() {}

    /** How many VMs were ever handed a job of this pipeline. */
    static long slotsThatClaimed(DemoCluster cluster, PipelineRun run) {
        String jobs = run.jobs().stream().map(job -> "'" + job.text("id") + "'").collect(Collectors.joining(","));
        return count(cluster, "SELECT count(*) FROM slot WHERE claimed_by IN (%s)".formatted(jobs));
    }

    static long count(DemoCluster cluster, String query) {
        try (Connection connection = cluster.database().connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(query + ": " + e.getMessage(), e);
        }
    }
}
