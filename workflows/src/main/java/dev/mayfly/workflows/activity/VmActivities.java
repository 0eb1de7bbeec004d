package dev.mayfly.workflows.activity;

import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.VmSize;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import org.jspecify.annotations.Nullable;

/**
 * What a host does for a slot; the only activities an agent implements. {@code launch} and {@code destroy} run on
 * {@code host.<id>}, {@code claim} and {@code run} on {@code host.<id>.wait} with manual completion. A call for a slot
 * joins a call of the same kind that is already under way. A call with an epoch other than the host's is refused with
 * {@link FailureType#WRONG_EPOCH}.
 */
@ActivityInterface
public interface VmActivities {

    /**
     * Ensures that the slot's VM runs. The same slot gives the same VM; a VM that died before its payload was served is
     * started anew with the next boot number. Refused with {@link FailureType#TOMBSTONE} once the slot was destroyed.
     */
    @ActivityMethod(name = "launch")
    Launched launch(LaunchRequest request);

    /**
     * Begins to ask GitLab for a job with this slot's runner once the VM answers, and ends when there is one. The poll
     * belongs to the slot: it goes on if this call is dropped. Fails with {@link FailureType#GITLAB_REFUSED} if GitLab
     * refuses the slot's runner, with {@link FailureType#HOST_UNFIT} if the control plane refuses the host's credential.
     */
    @ActivityMethod(name = "claim")
    Claimed claim(ClaimRequest request);

    /** Hands the claimed job to the VM if that hasn't happened, and returns how it ended. */
    @ActivityMethod(name = "run")
    Ran run(RunRequest request);

    /**
     * Ensures that nothing of the slot is left on the host and leaves a tombstone, also where no VM ever ran. Ends the
     * poll first and reports what it brought; answers {@link Destroyed#REASSIGNED} if the slot has any other claim than
     * the one its caller knows.
     */
    @ActivityMethod(name = "destroy")
    Destroyed destroy(DestroyRequest request);

    /**
     * @param instance configured name of the GitLab instance that the slot's runner belongs to
     * @param title one line for people, shown by the host's tools
     */
    record LaunchRequest(String slotId, long epoch, VmSize size, String instance, String title) {

        /** For the slot that this job holds. */
        public static LaunchRequest of(Holding slot, CiJob job) {
            return new LaunchRequest(
                    slot.slotId(), slot.epoch(), slot.size(), job.key().instance(), job.title());
        }
    }

    /** @param bootNumber 1 for the first VM of this slot, rising with every VM started anew */
    record Launched(int bootNumber) {}

    /** @param job the job whose workflow asks */
    record ClaimRequest(String slotId, long epoch, JobKey job) {

        /** For the slot that this job holds. */
        public static ClaimRequest of(Holding slot, CiJob job) {
            return new ClaimRequest(slot.slotId(), slot.epoch(), job.key());
        }
    }

    /** How waiting for a claim ended. */
    enum Claimed {
        /** GitLab handed the slot the asking workflow's job, and the control plane has recorded it. */
        CLAIMED,
        /** The slot holds the claim of another job: look what you hold now. */
        REASSIGNED,
        /** The VM died before anything was served: launch it again. */
        VM_DIED
    }

    /** @param executor what the claimed job's own tags ask for */
    record RunRequest(String slotId, long epoch, JobKey job, Executor executor) {

        /** For the slot that this job has claimed. */
        public static RunRequest of(Holding slot, CiJob job) {
            return new RunRequest(slot.slotId(), slot.epoch(), job.key(), job.executor());
        }
    }

    /**
     * @param end how it ended
     * @param detail one sentence for people
     */
    record Ran(End end, String detail) {

        /** How a run ended. */
        public enum End {
            /** The runner's final update said success and GitLab took it. */
            SUCCEEDED,
            /** The runner's final update said failed and GitLab took it. */
            FAILED,
            /** GitLab refuses the job's token: it had ended there, by a cancel or a time-out. */
            ENDED_IN_GITLAB,
            /** The VM or its runner was gone without a final update; the broker failed the job on its behalf. */
            VM_LOST,
            /** The VM died before its payload was served: launch it again, the claim stands. */
            VM_DIED_UNSERVED,
            /** The slot does not hold this job's claim: look what you hold now. */
            REASSIGNED
        }
    }

    /** @param knownClaimJobId the job id of the claim that the caller read from PostgreSQL, null if it read none */
    record DestroyRequest(
            String slotId, long epoch, @Nullable Long knownClaimJobId) {

        /** For a slot as PostgreSQL describes it now. */
        public static DestroyRequest of(Holding slot) {
            return new DestroyRequest(slot.slotId(), slot.epoch(), slot.claimedJobId());
        }
    }

    /** How destroy ended. */
    enum Destroyed {
        DESTROYED,
        REASSIGNED
    }
}
