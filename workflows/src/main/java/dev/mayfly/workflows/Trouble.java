package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.activity.VmActivities.Launched;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobOutcome.Result;
import io.temporal.api.enums.v1.TimeoutType;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.TimeoutFailure;
import io.temporal.workflow.CancellationScope;
import org.jspecify.annotations.Nullable;

/**
 * What a job does when a step fails or is to be done again. Before the claim it gives the slot up and takes another;
 * from the claim on it stays with its slot until the host answers or is LOST. Each answer is an outcome, or null: look
 * again. A standing fault never spins: pauses double, and people are told.
 */
final class Trouble {

    /** A slot whose VM dies this often before it was served is not launched once more. */
    private static final int MOST_BOOTS = 3;

    private final CiJob job;
    private final Stubs stubs;
    private final Story story;
    private final News news;
    private final Dismantling dismantling;
    private final Backoff pause;
    private boolean stands;

    Trouble(CiJob job, Timeouts timeouts, Stubs stubs, Story story, News news, Dismantling dismantling) {
        this.job = job;
        this.stubs = stubs;
        this.story = story;
        this.news = news;
        this.dismantling = dismantling;
        this.pause = timeouts.refusals();
    }

    /** Whether something went wrong since the job began or was claimed: then it takes one step at a time. */
    boolean stands() {
        return stands;
    }

    /** The job's slot was claimed: what went wrong before is over. */
    void end() {
        stands = false;
        pause.reset();
        story.calm();
    }

    /** The slot was handed another job, or its VM died before anything was served. */
    @Nullable
    JobOutcome notRun(Holding slot, Launched launched, boolean reassigned) {
        if (reassigned) {
            story.tell(slot.slotId() + " was handed another job");
            if (heldStill(slot) != null) { // host and PostgreSQL disagree: don't ask both in a tight loop
                news.pauseUntilNews(pause.next());
            }
            return null;
        }
        if (launched.bootNumber() < MOST_BOOTS) {
            story.tell("the VM of %s died before it was served: launching it again".formatted(slot.slotId()));
            return null;
        }
        Holding still = heldStill(slot);
        if (still == null) {
            return null;
        }
        String why = "its VM died %d times before it was served".formatted(launched.bootNumber());
        return still.claimedJobId() == null ? giveUp(still, why, why, true) : lost(still, why);
    }

    /** A run ended, or is to be done again. */
    @Nullable
    JobOutcome afterRun(Holding slot, Launched launched, Ran ran) {
        JobOutcome outcome = Outcomes.ofRun(ran, slot.slotId());
        return outcome != null ? outcome : notRun(slot, launched, ran.end() == Ran.End.REASSIGNED);
    }

    /** A step of this slot failed. */
    @Nullable
    JobOutcome with(Holding slot, ActivityFailure failure) {
        rethrowIfCancelled(failure);
        Holding still = heldStill(slot);
        if (still == null) {
            return null;
        }
        if (still.claimedJobId() == null) { // waiting for a host that doesn't answer was pause enough
            String why = reason(failure);
            return giveUp(still, why, isHostsFault(failure) ? why : null, !isUnreachable(failure));
        }
        return isTombstone(failure) ? lost(still, reason(failure)) : stayWith(still, reason(failure));
    }

    /** A call in the control plane was refused; nothing but time and people cure that. */
    void withUs(ActivityFailure failure) {
        rethrowIfCancelled(failure);
        stands = true;
        story.trouble("trying again: " + reason(failure));
        news.pauseUntilNews(pause.next());
    }

    /** Fails a claimed job whose host is LOST; null as long as the host may come back. */
    @Nullable
    JobOutcome ifHostIsLost(Holding slot, String why) {
        if (!stubs.capacity("is the host lost?").hostIsLost(slot.hostId(), slot.epoch())) {
            return null;
        }
        story.hostLost();
        return lost(slot, "the host %s was lost under the job: %s".formatted(slot.hostId(), why));
    }

    /** One sentence on why an activity failed. */
    static String reason(ActivityFailure failure) {
        Throwable cause = failure.getCause();
        return cause instanceof ApplicationFailure application
                ? application.getOriginalMessage()
                : "%s was not answered: %s"
                        .formatted(failure.getActivityType(), cause == null ? failure : cause.getMessage());
    }

    /** What is held now, if it is this slot and the job still wants it. */
    private @Nullable Holding heldStill(Holding slot) {
        Holding now = news.ended() == null ? stubs.hold() : null;
        return now != null && now.slotId().equals(slot.slotId()) ? now : null;
    }

    private @Nullable JobOutcome giveUp(Holding slot, String why, @Nullable String unfit, boolean pauseThen) {
        stands = true;
        story.trouble("gives up %s on %s: %s".formatted(slot.slotId(), slot.hostId(), why));
        stubs.capacity("give up " + slot.slotId()).giveUp(job.key(), slot.slotId(), unfit);
        dismantling.inTheBackground();
        if (pauseThen) {
            news.pause(pause.next());
        }
        return null;
    }

    private @Nullable JobOutcome stayWith(Holding slot, String why) {
        JobOutcome outcome = ifHostIsLost(slot, why);
        if (outcome == null) {
            story.trouble("stays with %s on %s, which is claimed: %s".formatted(slot.slotId(), slot.hostId(), why));
            news.pauseUntilNews(pause.next());
        }
        return outcome;
    }

    private JobOutcome lost(Holding slot, String what) {
        stubs.gitlab("fail the lost job").failLostJob(job.key(), what);
        return new JobOutcome(Result.VM_LOST, slot.slotId(), what);
    }

    private static void rethrowIfCancelled(ActivityFailure failure) {
        if (CancellationScope.current().isCancelRequested()) {
            throw failure;
        }
    }

    private static boolean isTombstone(ActivityFailure failure) {
        return failure.getCause() instanceof ApplicationFailure cause && FailureType.TOMBSTONE.is(cause);
    }

    private static boolean isHostsFault(ActivityFailure failure) {
        return failure.getCause() instanceof ApplicationFailure cause
                && (FailureType.HOST_UNFIT.is(cause) || FailureType.LAUNCH_FAILED.is(cause));
    }

    private static boolean isUnreachable(ActivityFailure failure) {
        return failure.getCause() instanceof TimeoutFailure cause
                && cause.getTimeoutType() == TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START;
    }
}
