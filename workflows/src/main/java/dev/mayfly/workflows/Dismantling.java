package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.activity.VmActivities.DestroyRequest;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TemporalFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Removes every slot that a job owns and has no use for. Which these are is read from PostgreSQL again after each one,
 * never remembered: an exchange may bring more, or take one back. Always in a detached scope, so that cancelling the
 * workflow can't skip it. The reservation is freed as soon as the VM is gone for certain; the runner's removal runs
 * beside it, so that a GitLab outage never holds capacity.
 */
final class Dismantling {

    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);

    private final CiJob job;
    private final Timeouts timeouts;
    private final Stubs stubs;
    private final Story story;
    private final List<Promise<Void>> runners = new ArrayList<>();

    Dismantling(CiJob job, Timeouts timeouts, Stubs stubs, Story story) {
        this.job = job;
        this.timeouts = timeouts;
        this.stubs = stubs;
        this.story = story;
    }

    /** The job's life is over, by an outcome or by a fault: nothing of it stays. */
    void afterTheLife(@Nullable JobOutcome outcome, @Nullable TemporalFailure fault) {
        Workflow.newDetachedCancellationScope(() -> {
                    story.enter(JobPhase.DISMANTLING, null);
                    boolean cancelled = fault instanceof CanceledFailure
                            || (fault instanceof ActivityFailure && fault.getCause() instanceof CanceledFailure);
                    if (cancelled) {
                        stubs.gitlab("cancel the job").cancelJob(job.key());
                    }
                    stubs.capacity("leave").leave(job.key());
                    untilNothingIsOwned();
                    story.end(
                            outcome == null
                                    ? Outcomes.ofStatus(cancelled ? "canceled" : null, story.slotId())
                                    : outcome);
                })
                .run();
    }

    /** The job lives on with another slot while the one it gave up is removed, however long its host is away. */
    void inTheBackground() {
        Workflow.newDetachedCancellationScope(() -> {
                    Promise<Void> unused = Async.procedure(this::untilNothingIsOwned);
                })
                .run();
    }

    /** Reads what is owned again after every slot that went, since an exchange may have changed it meanwhile. */
    private void untilNothingIsOwned() {
        Duration pause = FIRST_PAUSE;
        for (List<Holding> owned = owned(); !owned.isEmpty(); owned = owned()) {
            if (owned.stream().anyMatch(this::isReleased)) {
                pause = FIRST_PAUSE;
            } else {
                Workflow.sleep(pause);
                pause = min(pause.multipliedBy(2), timeouts.patience());
            }
        }
        Promise.allOf(runners).get();
    }

    private boolean isReleased(Holding slot) {
        String id = slot.slotId();
        if (!isGone(slot) || !stubs.capacity("release " + id).release(job.key(), id)) {
            return false;
        }
        runners.add(Async.procedure(stubs.gitlab("remove the runner of " + id)::removeRunner, id));
        return true;
    }

    private List<Holding> owned() {
        return stubs.capacity("what is left?").toDismantle(job.key());
    }

    /** Whether the slot's VM is gone for certain: destroyed, or its host is LOST and fenced. */
    private boolean isGone(Holding slot) {
        try {
            if (stubs.destroying(slot).destroy(DestroyRequest.of(slot)) == Destroyed.REASSIGNED) {
                story.tell("%s was handed another job meanwhile".formatted(slot.slotId()));
                return false;
            }
            return true;
        } catch (ActivityFailure failure) {
            if (stubs.capacity("is the host lost?").hostIsLost(slot.hostId(), slot.epoch())) {
                return true;
            }
            story.trouble("can't destroy %s on %s yet, trying again: %s"
                    .formatted(slot.slotId(), slot.hostId(), failure.getCause()));
            return false;
        }
    }

    private static Duration min(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
