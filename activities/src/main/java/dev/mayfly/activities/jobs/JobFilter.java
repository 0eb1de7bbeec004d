package dev.mayfly.activities.jobs;

import dev.mayfly.workflows.job.JobPhase;
import org.jspecify.annotations.Nullable;

/** Which jobs to list; null means any. {@code unfinished}: only those that are neither done nor refused. */
public record JobFilter(
        @Nullable String instance,
        @Nullable String projectPath,
        @Nullable String status,
        @Nullable JobPhase phase,
        @Nullable String hostId,
        @Nullable Long pipelineId,
        boolean unfinished) {

    public static JobFilter any() {
        return new JobFilter(null, null, null, null, null, null, false);
    }
}
