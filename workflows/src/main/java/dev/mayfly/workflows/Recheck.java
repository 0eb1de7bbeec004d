package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.activity.JobInGitLab;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.TemporalFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.Workflow;
import org.jspecify.annotations.Nullable;

/**
 * Signals are hints that may be lost, so a job that waits finds out by itself, now and then, what they would have told.
 * Runs beside the wait, one at a time, so that an absent GitLab never holds up a job that gets on; what it finds out
 * becomes {@link News}.
 */
final class Recheck {

    private final CiJob job;
    private final Stubs stubs;
    private final Story story;
    private final News news;
    private final Trouble trouble;
    private final Dismantling dismantling;
    private boolean underWay;

    Recheck(CiJob job, Stubs stubs, Story story, News news, Trouble trouble, Dismantling dismantling) {
        this.job = job;
        this.stubs = stubs;
        this.story = story;
        this.news = news;
        this.trouble = trouble;
        this.dismantling = dismantling;
    }

    /** Begins a re-check, unless one is under way; {@code slot} is what the job holds now. */
    void begin(@Nullable Holding slot) {
        if (!underWay) {
            underWay = true;
            var unused = Async.procedure(() -> {
                try {
                    JobOutcome ended = check(slot);
                    if (ended != null) {
                        news.end(ended);
                    }
                } catch (TemporalFailure failure) {
                    tell(failure);
                }
                underWay = false;
            });
        }
    }

    private @Nullable JobOutcome check(@Nullable Holding slot) {
        dismantling.inTheBackground(); // left over from a workflow of this job that was terminated, it holds capacity
        if (slot != null && slot.claimedJobId() != null) {
            JobOutcome lost = trouble.ifHostIsLost(slot, "its lease ran out");
            if (lost != null) {
                return lost;
            }
        }
        if (slot == null) {
            story.waits(stubs.whyWaiting());
        }
        JobInGitLab seen = stubs.gitlab("look the job up").lookUpJob(job.key());
        if (seen.ended()) {
            return Outcomes.ofStatus(seen.status(), story.slotId());
        }
        if (seen.at() == JobInGitLab.At.FOREIGN_RUNNER) {
            return Outcomes.takenElsewhere();
        }
        // An abandoned re-tagging by another job may have landed late. Only while the slot is still this job's.
        if (slot != null && seen.at() == JobInGitLab.At.NO_RUNNER && story.isClaimingIn(slot)) {
            stubs.gitlab("check the runner of " + slot.slotId()).ensureRunner(slot.slotId(), job);
        }
        return null;
    }

    private void tell(TemporalFailure failure) {
        if (!CancellationScope.current().isCancelRequested() && failure instanceof ActivityFailure refused) {
            story.trouble("can't check on the job, trying again: " + Trouble.reason(refused));
        } else {
            Workflow.getLogger(Recheck.class).debug("re-check of {} ended with its workflow", job.key(), failure);
        }
    }
}
