package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Removes every slot that a job owns and has no use for; one of these per workflow. Which slots these are is read from
 * PostgreSQL before every try, never remembered: an exchange may bring more, or take one back. Each slot has a loop of
 * its own in a detached scope, so that neither a cancelled workflow nor another slot's absent host stops it. The
 * reservation is freed as soon as the VM is gone for certain; the runner's removal runs beside it, so that a GitLab
 * outage never holds capacity.
 */
final class Dismantling {

    private final CiJob job;
    private final Timeouts timeouts;
    private final Stubs stubs;
    private final Story story;
    private final News news;
    private final Set<String> slotsUnderWay = new HashSet<>();
    private int runnersUnderWay;

    Dismantling(CiJob job, Timeouts timeouts, Stubs stubs, Story story, News news) {
        this.job = job;
        this.timeouts = timeouts;
        this.stubs = stubs;
        this.story = story;
        this.news = news;
    }

    /**
     * The job's life is over, by an outcome or, if there is none, by cancelling the workflow: nothing of it stays.
     *
     * @return the outcome
     * @throws CanceledFailure if there is none
     */
    JobOutcome afterTheLife(@Nullable JobOutcome outcome) {
        Workflow.newDetachedCancellationScope(() -> {
                    story.enter(JobPhase.DISMANTLING, null);
                    Promise<Void> cancelled = outcome == null ? cancelInGitLab() : Promise.allOf(List.of());
                    insist("leave", () -> stubs.capacity("leave").leave(job.key()));
                    while (!begin().isEmpty()) {
                        int before = slotsUnderWay.size();
                        Workflow.await(() -> slotsUnderWay.size() < before);
                    }
                    Workflow.await(() -> runnersUnderWay == 0 && cancelled.isCompleted());
                    story.end(outcome == null ? Outcomes.cancelledHere(story.slotId()) : outcome);
                })
                .run();
        if (outcome == null) {
            throw new CanceledFailure("cancelled, and nothing is left of the job");
        }
        return outcome;
    }

    /** The job lives on while what it owns besides its slot is removed, however long a host is away. */
    void inTheBackground() {
        Workflow.newDetachedCancellationScope(() -> {
                    var unused = Async.function(this::begin);
                })
                .run();
    }

    /** Reads what is owned and of no use, starts on what isn't being dismantled yet, and returns all of it. */
    private List<Holding> begin() {
        List<Holding> owned = insistOn(
                "read what is left", () -> stubs.capacity("what is left?").toDismantle(job.key()));
        for (Holding slot : owned) {
            if (slotsUnderWay.add(slot.slotId())) {
                var unused = Async.procedure(this::dismantle, slot);
            }
        }
        return owned;
    }

    private void dismantle(Holding slot) {
        String id = slot.slotId();
        var pause = timeouts.rounds();
        for (Holding now = slot; now != null && !isReleased(now); now = ownedStill(id)) {
            news.pauseUntilNews(pause.next());
        }
        slotsUnderWay.remove(id);
    }

    private @Nullable Holding ownedStill(String slotId) {
        return begin().stream()
                .filter(slot -> slot.slotId().equals(slotId))
                .findFirst()
                .orElse(null);
    }

    private boolean isReleased(Holding slot) {
        String id = slot.slotId();
        try {
            if (!isGone(slot) || !stubs.capacity("release " + id).release(job.key(), id)) {
                return false;
            }
        } catch (ActivityFailure failure) {
            story.trouble("can't release %s yet, trying again: %s".formatted(id, Trouble.reason(failure)));
            return false;
        }
        runnersUnderWay++;
        var unused = Async.procedure(() -> {
            insist(
                    "remove the runner of " + id,
                    () -> stubs.gitlab("remove the runner of " + id).removeRunner(id));
            runnersUnderWay--;
        });
        return true;
    }

    /** Whether the slot's VM is gone for certain: destroyed, or its host is LOST and fenced. */
    private boolean isGone(Holding slot) {
        Promise<Destroyed> destroy = stubs.destroy(slot);
        // A call on its way to a host that is LOST meanwhile is answered by nobody.
        while (!news.awaitUnlessTold(destroy::isCompleted)) {
            if (isLost(slot)) {
                return true;
            }
        }
        try {
            if (destroy.get() == Destroyed.REASSIGNED) {
                story.tell("%s was handed another job meanwhile".formatted(slot.slotId()));
                return false;
            }
            return true;
        } catch (ActivityFailure failure) {
            if (isLost(slot)) {
                return true;
            }
            story.trouble("can't destroy %s on %s yet, trying again: %s"
                    .formatted(slot.slotId(), slot.hostId(), Trouble.reason(failure)));
            return false;
        }
    }

    private boolean isLost(Holding slot) {
        return stubs.capacity("is the host lost?").hostIsLost(slot.hostId(), slot.epoch());
    }

    /** Before the VM is destroyed, so that GitLab shows a cancelled job, no failed one; but never waits long for it. */
    private Promise<Void> cancelInGitLab() {
        Promise<Void> cancelled = Async.procedure(() -> {
            try {
                stubs.gitlab("cancel the job").cancelJob(job.key());
            } catch (ActivityFailure failure) {
                story.trouble("can't cancel the job in GitLab, do it there: " + Trouble.reason(failure));
            }
        });
        boolean unused = Workflow.await(timeouts.pause(), cancelled::isCompleted);
        return cancelled;
    }

    private void insist(String what, Runnable call) {
        var unused = insistOn(what, () -> {
            call.run();
            return true;
        });
    }

    /** A refusal that no retry of the call itself cures is told, and tried again until people have mended its cause. */
    private <T> T insistOn(String what, Supplier<T> call) {
        var pause = timeouts.rounds();
        while (true) {
            try {
                return call.get();
            } catch (ActivityFailure failure) {
                story.trouble("can't %s yet, trying again: %s".formatted(what, Trouble.reason(failure)));
                news.pauseUntilNews(pause.next());
            }
        }
    }
}
