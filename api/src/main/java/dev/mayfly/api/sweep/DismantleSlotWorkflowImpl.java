package dev.mayfly.api.sweep;

import dev.mayfly.workflows.TaskQueues;
import dev.mayfly.workflows.Timeouts;
import dev.mayfly.workflows.activity.CapacityActivities;
import dev.mayfly.workflows.activity.GitLabActivities;
import dev.mayfly.workflows.activity.VmActivities;
import dev.mayfly.workflows.activity.VmActivities.DestroyRequest;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import dev.mayfly.workflows.job.JobKey;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobPhase;
import io.temporal.activity.ActivityOptions;
import io.temporal.common.RetryOptions;
import io.temporal.failure.ActivityFailure;
import io.temporal.workflow.Workflow;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Fails the claim that the slot may have, destroys its VM until that is confirmed or the host is LOST, then frees its
 * reservation and removes its runner. Every step is repeated without limit.
 */
public final class DismantleSlotWorkflowImpl implements DismantleSlotWorkflow {

    private static final Logger LOG = Workflow.getLogger(DismantleSlotWorkflowImpl.class);
    private static final String WHY = "the job's workflow was ended by hand, so its VM was removed";

    private final Timeouts timeouts;
    private final SweepActivities sweep;
    private final GitLabActivities gitlab;
    private final CapacityActivities capacity;

    DismantleSlotWorkflowImpl(Timeouts timeouts) {
        this.timeouts = timeouts;
        ActivityOptions control = ActivityOptions.newBuilder()
                .setTaskQueue(TaskQueues.CONTROL)
                .setStartToCloseTimeout(timeouts.control())
                .setRetryOptions(RetryOptions.newBuilder()
                        .setInitialInterval(Duration.ofMillis(500))
                        .setMaximumInterval(timeouts.controlRetry())
                        .build())
                .build();
        this.sweep = Workflow.newActivityStub(SweepActivities.class, control);
        this.gitlab = Workflow.newActivityStub(GitLabActivities.class, control);
        this.capacity = Workflow.newActivityStub(CapacityActivities.class, control);
    }

    @Override
    public void run(SweptSlot taken) {
        SweptSlot slot = taken;
        while (slot != null) {
            if (slot.claimedBy() != null) {
                fail(slot.claimedBy());
            }
            if (isDestroyed(slot)) {
                sweep.releaseSwept(slot.slotId());
                gitlab.removeRunner(slot.slotId());
                conclude(slot);
                return;
            }
            slot = lookAgain(slot);
        }
    }

    /** The claimed job has no workflow any more that could say that nothing is left of it. */
    private void conclude(SweptSlot slot) {
        if (slot.claimedBy() != null) {
            capacity.recordPhase(
                    slot.claimedBy(),
                    JobPhase.DONE,
                    slot.slotId(),
                    new JobOutcome(JobOutcome.Result.VM_LOST, slot.slotId(), WHY));
        }
    }

    /** A claim may have come meanwhile, or the host has become LOST. */
    private @Nullable SweptSlot lookAgain(SweptSlot slot) {
        Workflow.sleep(timeouts.pause());
        return sweep.sweptSlot(slot.slotId());
    }

    private void fail(JobKey job) {
        try {
            gitlab.failLostJob(job, WHY);
        } catch (ActivityFailure e) {
            LOG.warn("{}: GitLab will not be told that the job has failed; it will time it out", job, e);
        }
    }

    private boolean isDestroyed(SweptSlot slot) {
        VmActivities host = Workflow.newActivityStub(
                VmActivities.class,
                ActivityOptions.newBuilder()
                        .setTaskQueue(TaskQueues.host(slot.hostId()))
                        .setScheduleToStartTimeout(timeouts.hostAnswers())
                        .setStartToCloseTimeout(timeouts.destroy())
                        .setRetryOptions(
                                RetryOptions.newBuilder().setMaximumAttempts(3).build())
                        .setSummary("destroy %s on %s".formatted(slot.slotId(), slot.hostId()))
                        .build());
        JobKey claim = slot.claimedBy();
        try {
            return host.destroy(new DestroyRequest(slot.slotId(), slot.epoch(), claim == null ? null : claim.jobId()))
                    == Destroyed.DESTROYED;
        } catch (ActivityFailure e) {
            LOG.info("slot {}: host {} did not destroy it", slot.slotId(), slot.hostId());
            return capacity.hostIsLost(slot.hostId(), slot.epoch());
        }
    }
}
