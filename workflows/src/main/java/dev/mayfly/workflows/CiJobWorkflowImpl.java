package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.activity.VmActivities.ClaimRequest;
import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.LaunchRequest;
import dev.mayfly.workflows.activity.VmActivities.RunRequest;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.TemporalFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The life of a job, top to bottom. It never assumes which slot the job holds, it looks: every step is an "ensure", so
 * taking over a slot at any stage is the same code as having made it. A wait ends when its step is done, when the job
 * holds another slot, or when it has ended in GitLab. Dismantling stands after the life, never in {@code finally}:
 * Temporal evicts a cached workflow by throwing through its code.
 */
final class CiJobWorkflowImpl implements CiJobWorkflow {

    private final CiJob job;
    private final Timeouts timeouts;
    private final Stubs stubs;
    private final Story story;
    private final Trouble trouble;
    private @Nullable String endedAs;
    private boolean news;

    CiJobWorkflowImpl(CiJob job, Timeouts timeouts) {
        this.job = job;
        this.timeouts = timeouts;
        this.stubs = new Stubs(timeouts);
        this.story = new Story(job, stubs);
        this.trouble = new Trouble(job, timeouts, stubs, story);
    }

    @Override
    public JobOutcome run(CiJob sameJob) {
        JobOutcome outcome = null;
        TemporalFailure fault = null;
        try {
            while (outcome == null) {
                Holding slot = slotToUse();
                outcome = slot == null ? Outcomes.ofStatus(endedAs, story.slotId()) : liveIn(slot);
            }
        } catch (TemporalFailure failure) { // never Throwable: eviction passes through here
            fault = failure;
        }
        new Dismantling(job, timeouts, stubs, story).afterTheLife(outcome, fault);
        if (outcome == null) {
            throw fault;
        }
        return outcome;
    }

    /** The slot that the job holds, after waiting in the queue for one if need be; null once the job has ended. */
    private @Nullable Holding slotToUse() {
        while (endedAs == null) {
            Holding slot = look();
            if (slot != null) {
                return slot;
            }
            story.enter(JobPhase.QUEUED, null);
            awaitNewsOr(() -> false, null);
        }
        return null;
    }

    /** Ensures every stage of this slot in turn; null as soon as the job should look for its slot again. */
    private @Nullable JobOutcome liveIn(Holding slot) {
        try {
            story.enter(JobPhase.LAUNCHING, slot);
            var launch = Async.function(stubs.launching(slot)::launch, LaunchRequest.of(slot, job));
            var runner = Async.procedure(stubs.gitlab("ensure runner")::ensureRunner, slot.slotId(), job);
            if (!reached(launch, slot) || !reached(runner, slot)) {
                return null;
            }
            story.enter(JobPhase.CLAIMING, slot);
            var claim = Async.function(stubs.waiting(slot, "claim")::claim, ClaimRequest.of(slot, job));
            if (!reached(claim, slot)) {
                return null;
            }
            if (claim.get() != Claimed.CLAIMED) {
                return trouble.notClaimed(slot, claim.get(), launch.get());
            }
            story.enter(JobPhase.RUNNING, slot);
            var run = Async.function(stubs.waiting(slot, "run")::run, RunRequest.of(slot, job));
            return reached(run, slot) ? Outcomes.ofRun(run.get(), slot) : null;
        } catch (ActivityFailure failure) {
            return trouble.with(slot, failure, look());
        }
    }

    /**
     * Waits for a step of this slot; false as soon as it is pointless, because the job has ended or holds another slot.
     * A newer holding abandons the call under way, it never cancels it. Throws what the step threw.
     */
    private boolean reached(Promise<?> step, Holding slot) {
        while (!step.isCompleted()) {
            awaitNewsOr(step::isCompleted, slot);
            Holding now = step.isCompleted() || endedAs != null ? slot : look();
            if (!step.isCompleted()
                    && (endedAs != null || now == null || !now.slotId().equals(slot.slotId()))) {
                return false;
            }
        }
        step.get();
        return true;
    }

    /** Signals are hints that may be lost, so now and then it asks GitLab by itself. */
    private void awaitNewsOr(Supplier<Boolean> done, @Nullable Holding slot) {
        if (!Workflow.await(timeouts.recheck(), () -> done.get() || news || endedAs != null)) {
            endedAs = trouble.recheck(slot);
        }
    }

    private @Nullable Holding look() {
        news = false;
        return stubs.hold(job);
    }

    @Override
    public void holding(Holding hint) {
        news = true;
    }

    @Override
    public void lookAgain() {
        news = true;
    }

    @Override
    public void ended(String status) {
        endedAs = status;
    }

    @Override
    public String progress() {
        return story.markdown();
    }
}
