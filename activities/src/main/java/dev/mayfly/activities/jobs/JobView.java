package dev.mayfly.activities.jobs;

import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A job as REST and the dashboard show it.
 *
 * @param job what it is; its size is null if it was refused or isn't ours
 * @param status the last status heard from GitLab, GitLab's own word
 * @param phase where its workflow stands, null before it started
 * @param refusal why it does not run here, for the job's author; null if it does
 * @param slotId the slot it holds, or held last
 * @param left whether its workflow wants no slot any more
 */
public record JobView(
        CiJob job,
        String status,
        @Nullable JobPhase phase,
        @Nullable String refusal,
        @Nullable JobOutcome outcome,
        @Nullable String slotId,
        @Nullable String hostId,
        boolean left,
        Instant seenAt,
        @Nullable Instant queuedAt,
        @Nullable Instant launchedAt,
        @Nullable Instant claimedAt,
        @Nullable Instant startedAt,
        @Nullable Instant finishedAt) {}
