package dev.mayfly.workflows;

import dev.mayfly.workflows.job.JobOutcome;
import io.temporal.workflow.Workflow;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a job's workflow was told from outside and has not acted on yet. Signals only leave a mark here; the workflow's
 * own code acts on it. The first end stands: neither a later signal nor a slow re-check takes it back.
 */
final class News {

    private int told;
    private int seen;
    private boolean doubted;
    private @Nullable JobOutcome ended;

    /** Something about the job's slot may have changed. */
    void tell() {
        told++;
    }

    /** Something that the workflow takes for granted may no longer be so: look, and check everything else too. */
    void doubt() {
        told++;
        doubted = true;
    }

    /** The job has ended, so. */
    void end(JobOutcome how) {
        if (ended == null) {
            ended = how;
        }
    }

    /** How the job ended, null while it hasn't. */
    @Nullable
    JobOutcome ended() {
        return ended;
    }

    /** About to look: what was told until now is covered by that look, what comes during it is not. */
    void seen() {
        seen = told;
    }

    /**
     * Waits until {@code done}, or there is news, at most so long.
     *
     * @return whether a re-check is due: nothing came in that time, or a doubt did
     */
    boolean await(Duration most, Supplier<Boolean> done) {
        boolean heard = Workflow.await(most, () -> done.get() || told != seen || ended != null);
        boolean recheckIsDue = !heard || doubted;
        doubted = false;
        return recheckIsDue;
    }

    /** Waits until {@code done}, or something new is told; whether it is done. */
    boolean awaitUnlessTold(Supplier<Boolean> done) {
        int before = told;
        Workflow.await(() -> done.get() || told != before);
        return done.get();
    }

    /** Pauses; ends early only with the job. Not with a new slot, which would make a standing fault spin. */
    void pause(Duration most) {
        boolean unused = Workflow.await(most, () -> ended != null);
    }

    /** Pauses until something new is told, now that all before is known. */
    void pauseUntilNews(Duration most) {
        int before = told;
        boolean endedBefore = ended != null;
        boolean unused = Workflow.await(most, () -> told != before || (ended != null) != endedBefore);
    }
}
