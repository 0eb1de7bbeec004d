package dev.mayfly.demo;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Looks into the control plane's database, past its API. */
final class Database {

    private Database() {}

    /** How many VMs were ever handed a job of this pipeline. */
    static long slotsThatClaimed(DemoCluster cluster, PipelineRun run) {
        String jobs = run.jobs().stream().map(job -> "'" + job.text("id") + "'").collect(Collectors.joining(","));
        return count(cluster, "SELECT count(*) FROM slot WHERE claimed_by IN (%s)".formatted(jobs));
    }

    /** The first column of all rows. */
    static List<String> texts(DemoCluster cluster, String query) {
        return query(cluster, query, rows -> {
            List<String> texts = new ArrayList<>();
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
            return texts;
        });
    }

    static long count(DemoCluster cluster, String query) {
        return query(cluster, query, rows -> {
            rows.next();
            return rows.getLong(1);
        });
    }

    @FunctionalInterface
    private interface Reading<T> {
        T of(ResultSet rows) throws SQLException;
    }

    private static <T> T query(DemoCluster cluster, String query, Reading<T> reading) {
        try (Connection connection = cluster.database().connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            return reading.of(rows);
        } catch (SQLException e) {
            throw new IllegalStateException(query + ": " + e.getMessage(), e);
        }
    }
}
