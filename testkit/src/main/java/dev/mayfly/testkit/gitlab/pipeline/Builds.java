package dev.mayfly.testkit.gitlab.pipeline;

import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiStatus;
import dev.mayfly.testkit.gitlab.model.CiVariable;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.Runner;
import dev.mayfly.testkit.gitlab.model.RunnerManager;
import dev.mayfly.testkit.gitlab.model.User;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Every transition of a build, with its webhooks and what follows for its pipeline. Called under the lock. */
public final class Builds {
    private static final int PROVISIONING_RETRIES = 2;
    private static final Duration GRACE = Duration.ofMinutes(5);

    private final Instance instance;
    private final CiEvents events;
    private final PipelineProcessing processing;
    private final BuildFactory factory;

    public Builds(Instance instance, CiEvents events, PipelineProcessing processing, BuildFactory factory) {
        this.instance = instance;
        this.events = events;
        this.processing = processing;
        this.factory = factory;
    }

    /** A runner was given it. {@code acknowledgeUntil} null: it runs from now on. */
    public void assign(
            Build build, Runner runner, RunnerManager manager, boolean gracefully, @Nullable Instant acknowledgeUntil) {
        build.assign(runner, manager, gracefully, acknowledgeUntil, instance.now());
        if (acknowledgeUntil == null) {
            start(build);
        }
    }

    public void start(Build build) {
        build.start(instance.now());
        events.buildChanged(build);
        processing.process(build.pipeline());
    }

    /** The runner says how it ended; whatever it says, a build being cancelled is cancelled. */
    public void finish(Build build, boolean success, @Nullable String reason, @Nullable Integer exitCode) {
        if (build.status() == CiStatus.CANCELING) {
            end(build, CiStatus.CANCELED, null, exitCode);
        } else if (success) {
            end(build, CiStatus.SUCCESS, null, exitCode);
        } else {
            drop(build, reason == null ? "unknown_failure" : reason, exitCode);
        }
    }

    /** Fails it; makes the next build if its {@code retry}, or GitLab's own rule, says so. */
    public void drop(Build build, String reason, @Nullable Integer exitCode) {
        if (exitCode != null && build.seed().allowFailureExitCodes().contains(exitCode)) {
            build.allowFailure(true);
        }
        boolean again = isRetriedByItself(build, reason, exitCode);
        build.finish(CiStatus.FAILED, reason, exitCode, instance.now());
        events.buildChanged(build);
        if (again) {
            Build next = replace(build);
            processing.enqueue(next);
        }
        ended(build);
    }

    private static boolean isRetriedByItself(Build build, String reason, @Nullable Integer exitCode) {
        if (reason.equals("runner_provisioning_timeout")) {
            return build.retriesCount() < PROVISIONING_RETRIES;
        }
        return build.retriesCount() < build.seed().retry().max()
                && build.seed().retry().covers(reason, exitCode);
    }

    /** Cancels; a running one whose runner can do so gracefully is told first, unless {@code force}. */
    public void cancel(Build build, boolean force) {
        CiStatus status = build.status();
        if (status.isComplete()) {
            return;
        }
        if (status == CiStatus.RUNNING && build.isGracefullyCancelable() && !force) {
            build.become(CiStatus.CANCELING, instance.now());
            processing.process(build.pipeline());
        } else if (status != CiStatus.CANCELING || force) {
            end(build, CiStatus.CANCELED, null, null);
        }
    }

    private void end(Build build, CiStatus status, @Nullable String reason, @Nullable Integer exitCode) {
        build.finish(status, reason, exitCode, instance.now());
        events.buildChanged(build);
        ended(build);
    }

    private void ended(Build build) {
        processing.releaseResource(build);
        processing.process(build.pipeline());
    }

    /** A new build in its place, by a user's wish. */
    public Build retry(Build build, User user) {
        if (build.isRetried() || !build.status().isComplete() || build.status() == CiStatus.SKIPPED) {
            throw new ApiException(403, "403 Forbidden - Job is not retryable");
        }
        Build next = replace(build);
        next.runBy(user);
        processing.enqueue(next);
        resetSkipped(build.pipeline(), next);
        processing.process(build.pipeline());
        return next;
    }

    public void play(Build build, User user, List<CiVariable> variables) {
        if (!Set.of(CiStatus.MANUAL, CiStatus.SCHEDULED).contains(build.status())) {
            throw new ApiException(400, "400 Bad request - Unplayable Job");
        }
        build.play(user, variables);
        processing.enqueue(build);
        resetSkipped(build.pipeline(), build);
        processing.process(build.pipeline());
    }

    private Build replace(Build build) {
        build.markRetried();
        Build next = factory.retry(build);
        instance.add(next);
        events.buildChanged(next);
        return next;
    }

    private void resetSkipped(Pipeline pipeline, Build restarted) {
        pipeline.latestBuilds().stream()
                .filter(build -> build.status() == CiStatus.SKIPPED)
                .filter(build -> build.seed().stageIndex() >= restarted.seed().stageIndex())
                .forEach(build -> build.reset(instance.now()));
    }

    /** What GitLab's periodic workers do: claims not acknowledged, builds delayed or silent for too long. */
    public void sweep() {
        Instant now = instance.now();
        for (Build build : List.copyOf(instance.builds())) {
            Instant acknowledge = build.acknowledgeUntil();
            Instant scheduled = build.scheduledAt();
            if (build.isClaimed() && acknowledge != null && acknowledge.isBefore(now)) {
                drop(build, "runner_provisioning_timeout", null);
            } else if (build.status() == CiStatus.SCHEDULED && scheduled != null && !scheduled.isAfter(now)) {
                processing.enqueue(build);
                processing.process(build.pipeline());
            } else if (isStuck(build, now) || isStuckWaiting(build, now)) {
                drop(build, "stuck_or_timeout_failure", null);
            }
        }
    }

    private static boolean isStuck(Build build, Instant now) {
        Instant started = build.startedAt();
        if (started == null || (build.status() != CiStatus.RUNNING && build.status() != CiStatus.CANCELING)) {
            return false;
        }
        Duration longest = Duration.ofSeconds(BuildPayload.timeout(build)).plus(GRACE);
        return started.plus(longest).isBefore(now)
                || build.updatedAt().plus(Duration.ofHours(1)).isBefore(now);
    }

    /** An hour without a runner online that could take it, or a day with one. */
    private boolean isStuckWaiting(Build build, Instant now) {
        Instant queued = build.queuedAt();
        if (queued == null || build.status() != CiStatus.PENDING || build.isClaimed()) {
            return false;
        }
        boolean hope = instance.runners().values().stream()
                .anyMatch(runner -> runner.accepts(build) && runner.status(now).equals("online"));
        return queued.plus(hope ? Duration.ofDays(1) : Duration.ofHours(1)).isBefore(now);
    }
}
