package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.activity.JobInGitLab;
import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.Launched;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobOutcome.Result;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.workflow.Workflow;
import org.jspecify.annotations.Nullable;

/**
 * What a job does when a step fails or nothing is heard. Before the claim it gives the slot up and takes another; from
 * the claim on it stays with its slot until the host answers or is LOST. Each answer is an outcome, or null: look again.
 */
final class Trouble {

    /** A slot whose VM dies this often before its claim is given up for another. */
    private static final int MOST_BOOTS = 3;

    private final CiJob job;
    private final Timeouts timeouts;
    private final Stubs stubs;
    private final Story story;

    Trouble(CiJob job, Timeouts timeouts, Stubs stubs, Story story) {
        this.job = job;
        this.timeouts = timeouts;
        this.stubs = stubs;
        this.story = story;
    }

    /**
     * Asks GitLab how the job stands, and checks the slot's runner again: an abandoned re-tagging may have landed late.
     *
     * @return the status it ended with, or null if it has not
     */
    @Nullable
    String recheck(@Nullable Holding slot) {
        JobInGitLab seen = stubs.gitlab("look the job up").lookUpJob(job.key());
        if (seen.ended()) {
            return seen.status();
        }
        if (seen.at() == JobInGitLab.At.FOREIGN_RUNNER) {
            return Outcomes.TAKEN_ELSEWHERE;
        }
        if (slot != null && seen.at() == JobInGitLab.At.NO_RUNNER) {
            stubs.gitlab("check the runner of " + slot.slotId()).ensureRunner(slot.slotId(), job);
        }
        return null;
    }

    /** The broker's wait for a claim ended without one for this job. */
    @Nullable
    JobOutcome notClaimed(Holding slot, Claimed answer, Launched launched) {
        if (answer == Claimed.REASSIGNED) {
            story.tell(slot.slotId() + " was handed another job");
        } else if (launched.bootNumber() >= MOST_BOOTS) {
            giveUp(slot, "its VM died %d times before it was served".formatted(launched.bootNumber()));
        } else {
            story.tell("the VM of %s died before it was served: launching it again".formatted(slot.slotId()));
        }
        return null;
    }

    /** A step of this slot failed; {@code now} is what the job holds after that. */
    @Nullable
    JobOutcome with(Holding slot, ActivityFailure failure, @Nullable Holding now) {
        if (failure.getCause() instanceof CanceledFailure) {
            throw failure;
        }
        if (now == null || !now.slotId().equals(slot.slotId())) {
            return null;
        }
        String why = reason(failure);
        if (now.claimedJobId() == null) {
            giveUp(slot, why);
            return null;
        }
        if (isTombstone(failure) || stubs.capacity("is the host lost?").hostIsLost(slot.hostId(), slot.epoch())) {
            String what = "the host %s was lost under the job: %s".formatted(slot.hostId(), why);
            stubs.gitlab("fail the lost job").failLostJob(job.key(), what);
            return new JobOutcome(Result.VM_LOST, slot.slotId(), what);
        }
        story.trouble("%s is claimed and its host %s does not answer: %s".formatted(slot.slotId(), slot.hostId(), why));
        Workflow.sleep(timeouts.pause());
        return null;
    }

    private void giveUp(Holding slot, String why) {
        story.trouble("gives up %s on %s: %s".formatted(slot.slotId(), slot.hostId(), why));
        stubs.capacity("give up " + slot.slotId()).giveUp(job.key(), slot.slotId());
        new Dismantling(job, timeouts, stubs, story).inTheBackground();
        Workflow.sleep(timeouts.pause());
    }

    private static boolean isTombstone(ActivityFailure failure) {
        return failure.getCause() instanceof ApplicationFailure cause && FailureType.TOMBSTONE.is(cause);
    }

    private static String reason(ActivityFailure failure) {
        Throwable cause = failure.getCause();
        return cause instanceof ApplicationFailure application
                ? application.getOriginalMessage()
                : "%s was not answered: %s"
                        .formatted(failure.getActivityType(), cause == null ? failure : cause.getMessage());
    }
}
