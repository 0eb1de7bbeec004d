package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.workflow.Promise;
import org.jspecify.annotations.Nullable;

/**
 * The life of a job, top to bottom. It never assumes which slot the job holds, it looks: every step is an "ensure", so
 * taking over a slot at any stage is the same code as having made it. A wait ends when its step is done, when the job
 * holds another slot, or when it has ended in GitLab. What the job leaves is dismantled after its life.
 */
final class CiJobWorkflowImpl implements CiJobWorkflow {

    private final Timeouts timeouts;
    private final Stubs stubs;
    private final Story story;
    private final News news = new News();
    private final Dismantling dismantling;
    private final Trouble trouble;
    private final Recheck recheck;

    CiJobWorkflowImpl(CiJob job, Timeouts timeouts) {
        this.timeouts = timeouts;
        this.stubs = new Stubs(job, timeouts);
        this.story = new Story(job, stubs);
        this.dismantling = new Dismantling(job, timeouts, stubs, story, news);
        this.trouble = new Trouble(job, timeouts, stubs, story, news, dismantling);
        this.recheck = new Recheck(job, stubs, story, news, trouble, dismantling);
    }

    @Override
    public JobOutcome run(CiJob sameJob) {
        JobOutcome outcome;
        try {
            outcome = live();
        } catch (CanceledFailure | ActivityFailure cancelled) {
            outcome = null;
        } // no finally, no Throwable: Temporal evicts a cached workflow by throwing through its code
        return dismantling.afterTheLife(outcome);
    }

    private JobOutcome live() {
        while (true) {
            try {
                Holding slot = slotToUse();
                JobOutcome outcome = slot == null ? news.ended() : liveIn(slot);
                if (outcome != null) {
                    return outcome;
                }
            } catch (ActivityFailure failure) {
                trouble.withUs(failure);
            }
        }
    }

    /** The slot that the job holds, after waiting in the queue for one if need be; null once the job has ended. */
    private @Nullable Holding slotToUse() {
        var patience = timeouts.queueRechecks();
        Holding slot = look();
        while (slot == null && news.ended() == null) {
            story.enter(JobPhase.QUEUED, null);
            if (news.await(patience.next(), () -> false)) {
                recheck.begin(null);
            }
            slot = look();
        }
        return news.ended() == null ? slot : null;
    }

    /** Ensures every stage of this slot in turn; null as soon as the job should look for its slot again. */
    private @Nullable JobOutcome liveIn(Holding slot) {
        try {
            story.enter(JobPhase.LAUNCHING, slot);
            if (trouble.stands() && !reached(stubs.ensureRunner(slot), slot)) {
                return null; // no VM for a runner that GitLab refuses
            }
            var launch = stubs.launch(slot); // what takes longest begins first
            var runner = stubs.ensureRunner(slot);
            if (!reached(launch, slot) || !reached(runner, slot)) {
                return null;
            }
            story.enter(JobPhase.CLAIMING, slot);
            var claim = stubs.claim(slot);
            if (!reached(claim, slot)) {
                return null;
            }
            if (claim.get() != Claimed.CLAIMED) {
                return trouble.notRun(slot, launch.get(), claim.get() == Claimed.REASSIGNED);
            }
            trouble.end();
            story.enter(JobPhase.RUNNING, slot);
            var run = stubs.run(slot);
            return reached(run, slot) ? trouble.afterRun(slot, launch.get(), run.get()) : null;
        } catch (ActivityFailure failure) {
            return trouble.with(slot, failure);
        }
    }

    /**
     * Waits for a step of this slot; false as soon as it is pointless: the job has ended, holds another slot, or was
     * claimed before its runner was ensured. A newer holding abandons the call under way, it never cancels it.
     */
    private boolean reached(Promise<?> step, Holding slot) {
        var patience = timeouts.rechecks();
        while (!step.isCompleted()) {
            boolean recheckIsDue = news.await(patience.next(), step::isCompleted);
            Holding now = step.isCompleted() ? slot : look();
            if (now == null || !now.slotId().equals(slot.slotId()) || story.isClaimedEarly(slot, now)) {
                return false;
            }
            if (recheckIsDue) {
                recheck.begin(now);
            }
        }
        step.get();
        return true;
    }

    private @Nullable Holding look() {
        news.seen();
        return news.ended() == null ? stubs.hold() : null;
    }

    @Override
    public void holding(Holding hint, @Nullable String why) {
        story.hear(why);
        news.tell();
    }

    @Override
    public void lookAgain(@Nullable String why) {
        story.hear(why);
        news.doubt();
    }

    @Override
    public void ended(String status) {
        news.end(Outcomes.ofStatus(status, story.slotId()));
    }

    @Override
    public String progress() {
        return story.markdown();
    }
}
