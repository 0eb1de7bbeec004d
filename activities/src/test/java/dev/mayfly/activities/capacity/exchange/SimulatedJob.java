package dev.mayfly.activities.capacity.exchange;

import dev.mayfly.workflows.job.CiJob;
import org.jspecify.annotations.Nullable;

/** A job in GitLab and its workflow. */
final class SimulatedJob {

    /** GitLab's word for it. */
    enum InGitLab {
        PENDING,
        CLAIMED,
        RUNNING,
        SUCCESS,
        FAILED,
        CANCELED;

        boolean hasEnded() {
            return this == SUCCESS || this == FAILED || this == CANCELED;
        }
    }

    /** Where its workflow stands. It needs no program counter: every step is an "ensure". */
    enum Workflow {
        NONE,
        LIVES,
        LEAVES,
        DONE,
        TERMINATED;

        boolean isRunning() {
            return this == LIVES || this == LEAVES;
        }
    }

    final CiJob job;
    InGitLab status = InGitLab.PENDING;
    /** The slot whose runner has it. */
    @Nullable
    SimulatedVm at;

    Workflow workflow = Workflow.NONE;
    /** A claim asked for its workflow to be started. */
    boolean startDue;
    /** The slot that its workflow believes in. */
    @Nullable
    SimulatedVm view;

    /** Its workflow has asked for a slot. */
    boolean asked;
    /** The webhook of its end was handled. */
    boolean endRecorded;
    /** To how many VMs its payload went. */
    int served;

    SimulatedJob(CiJob job) {
        this.job = job;
    }

    long number() {
        return job.key().jobId();
    }

    boolean isOurs() {
        return job.size() != null;
    }

    /** Somebody with its token, or GitLab's time-out, ends it; refused if it has ended. */
    void fail() {
        end(InGitLab.FAILED);
    }

    void end(InGitLab how) {
        if (!status.hasEnded()) {
            status = how;
            at = null;
        }
    }

    @Override
    public String toString() {
        return "job %d %s: %s, workflow %s sees %s"
                .formatted(number(), job.tags(), status, workflow, view == null ? "nothing" : view.slotId);
    }
}
