package dev.mayfly.api.rest;

import dev.mayfly.activities.jobs.JobView;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A job as the API shows it.
 *
 * @param id its workflow's id, also its name in this API
 * @param status GitLab's own word
 * @param refusal why it does not run here, null if it does
 * @param phases when it first reached each phase that it has reached
 */
public record JobItem(
        String id,
        String instance,
        long projectId,
        String project,
        long jobId,
        String name,
        String stage,
        String ref,
        String sha,
        long pipelineId,
        String user,
        List<String> tags,
        @Nullable VmSize size,
        Executor executor,
        String status,
        @Nullable JobPhase phase,
        @Nullable String refusal,
        @Nullable JobOutcome outcome,
        @Nullable String slotId,
        @Nullable String hostId,
        Instant seenAt,
        @Nullable Instant queuedAt,
        @Nullable Instant startedAt,
        @Nullable Instant finishedAt,
        List<Reached> phases,
        Links links) {

    public JobItem {
        tags = List.copyOf(tags);
        phases = List.copyOf(phases);
    }

    /** When a phase was first reached. */
    public record Reached(JobPhase phase, Instant at) {}

    /** @param gitlab the job's page in GitLab */
    public record Links(String self, String gitlab) {}

    static JobItem of(JobView view) {
        CiJob job = view.job();
        String id = job.key().workflowId();
        return new JobItem(
                id,
                job.key().instance(),
                job.key().projectId(),
                job.projectPath(),
                job.key().jobId(),
                job.name(),
                job.stage(),
                job.ref(),
                job.sha(),
                job.pipelineId(),
                job.user(),
                job.tags(),
                job.size(),
                job.executor(),
                view.status(),
                view.phase(),
                view.refusal(),
                view.outcome(),
                view.slotId(),
                view.hostId(),
                view.seenAt(),
                view.queuedAt(),
                view.startedAt(),
                view.finishedAt(),
                phases(view),
                new Links("/api/v1/jobs/" + id, job.webUrl()));
    }

    private static List<Reached> phases(JobView view) {
        return Stream.of(
                        reached(JobPhase.QUEUED, view.queuedAt()),
                        reached(JobPhase.LAUNCHING, view.launchedAt()),
                        reached(JobPhase.CLAIMING, view.claimedAt()),
                        reached(JobPhase.RUNNING, view.startedAt()),
                        reached(JobPhase.DONE, view.finishedAt()))
                .flatMap(List::stream)
                .toList();
    }

    private static List<Reached> reached(JobPhase phase, @Nullable Instant at) {
        return at == null ? List.of() : List.of(new Reached(phase, at));
    }
}
