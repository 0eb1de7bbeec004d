package dev.mayfly.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a run of the demonstration ended, as its {@code --report} file says it.
 *
 * @param jobs every job of the pipeline, by id
 * @param left what was left after the run, by kind
 * @param ledger what was made and what is gone, by kind
 */
record Report(List<JobReport> jobs, Map<String, Integer> left, Map<String, LedgerBalance.Count> ledger) {

    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    Report {
        jobs = List.copyOf(jobs);
        left = Map.copyOf(left);
        ledger = new LinkedHashMap<>(ledger);
    }

    void writeTo(Path file) {
        try {
            Servers.write(file.toAbsolutePath(), JSON.writeValueAsString(this) + "\n");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the report can't be written as JSON", e);
        }
    }

    /**
     * One job.
     *
     * @param status GitLab's word; {@code refused} if Mayfly refused it
     * @param failureReason GitLab's reason, or why it was refused; null if it succeeded
     * @param executor shell or docker; null for a job that isn't ours
     * @param log the whole job log
     * @param queuedAt ISO-8601, as are the other times; null if it never came so far
     */
    record JobReport(
            long id,
            String name,
            String stage,
            List<String> tags,
            String status,
            @Nullable String failureReason,
            @Nullable String executor,
            @Nullable VmReport vm,
            @Nullable Long runnerId,
            String log,
            @Nullable String queuedAt,
            @Nullable String startedAt,
            @Nullable String finishedAt) {

        JobReport {
            tags = List.copyOf(tags);
        }
    }

    record VmReport(String id, String host, int vcpus, int memoryMib) {}
}
