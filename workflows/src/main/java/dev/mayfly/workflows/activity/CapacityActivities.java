package dev.mayfly.workflows.activity;

import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who holds which slot, on which host: one PostgreSQL transaction per call. Runs in the control plane. */
@ActivityInterface
public interface CapacityActivities {

    /**
     * Ensures that the job holds a slot or waits for one, at its old place if it waited before. Grants at once if a
     * host has room. The same call serves as the timed re-check.
     *
     * @return what the job holds now, or null while it is queued, or if it has left, or if it has no size of its own
     */
    @ActivityMethod(name = "hold")
    @Nullable
    Holding hold(CiJob job);

    /**
     * The job's slot turned out unreachable before its claim: the job holds it no longer and goes back to the queue at
     * its old place, but still owns the slot and must dismantle it. Does nothing if the slot was claimed meanwhile or
     * is no longer held by this job.
     *
     * @param unfit why its host could not run a VM, so that others are preferred for a while; null if it is no fault of
     *     the host's
     */
    @ActivityMethod(name = "giveUp")
    void giveUp(JobKey job, String slotId, @Nullable String unfit);

    /** The job wants no slot any more; from now on it is given slots only to dismantle. */
    @ActivityMethod(name = "leave")
    void leave(JobKey job);

    /** The slots that the job owns now and has no use for, oldest first; empty once all is released. */
    @ActivityMethod(name = "toDismantle")
    List<Holding> toDismantle(JobKey job);

    /**
     * Frees the slot's reservation. Only after destroy was confirmed or the host is LOST.
     *
     * @return false if the slot has been given to another job meanwhile
     */
    @ActivityMethod(name = "release")
    boolean release(JobKey job, String slotId);

    /** Whether the host that granted under this epoch may still come back, or is LOST for it. */
    @ActivityMethod(name = "hostIsLost")
    boolean hostIsLost(String hostId, long epoch);

    /** Projects where the job's life stands for REST and the dashboard; never moves a job backwards from its end. */
    @ActivityMethod(name = "recordPhase")
    void recordPhase(JobKey job, JobPhase phase, @Nullable String slotId, @Nullable JobOutcome outcome);
}
