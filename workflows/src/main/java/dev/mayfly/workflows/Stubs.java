package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.CapacityActivities;
import dev.mayfly.workflows.activity.GitLabActivities;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.activity.QueueActivities;
import dev.mayfly.workflows.activity.VmActivities;
import dev.mayfly.workflows.activity.VmActivities.ClaimRequest;
import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.DestroyRequest;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import dev.mayfly.workflows.activity.VmActivities.LaunchRequest;
import dev.mayfly.workflows.activity.VmActivities.Launched;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.activity.VmActivities.RunRequest;
import dev.mayfly.workflows.job.CiJob;
import io.temporal.activity.ActivityCancellationType;
import io.temporal.activity.ActivityOptions;
import io.temporal.activity.LocalActivityOptions;
import io.temporal.common.RetryOptions;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The activities as a workflow calls them. Control-plane calls are retried without limit: what they need is back some
 * day, and until then the workflow's history says what it waits for. A call to a host that a newer holding makes
 * pointless is abandoned, never cancelled: whoever takes the slot over joins it.
 */
final class Stubs {

    private final CiJob job;
    private final Timeouts timeouts;

    Stubs(CiJob job, Timeouts timeouts) {
        this.job = job;
        this.timeouts = timeouts;
    }

    /**
     * The slot that the job holds now, null while it waits in the queue. Tried once inside the workflow task, which saves
     * two hops when a host has room; a local activity can't both be retried and be cancelled, so the second try is the
     * same call as a normal activity.
     */
    @Nullable
    Holding hold() {
        try {
            return Workflow.newLocalActivityStub(CapacityActivities.class, once("which slot?"))
                    .hold(job);
        } catch (ActivityFailure failure) {
            if (failure.getCause() instanceof CanceledFailure) {
                throw failure;
            }
            return capacity("look for a slot").hold(job);
        }
    }

    /** Why it still waits; null if that can't be said now, which holds nothing up. */
    @Nullable
    String whyWaiting() {
        try {
            return Workflow.newLocalActivityStub(QueueActivities.class, once("why does it wait?"))
                    .whyWaiting(job.key());
        } catch (ActivityFailure failure) {
            if (failure.getCause() instanceof CanceledFailure) {
                throw failure;
            }
            return null;
        }
    }

    /** Within the workflow task, without a second try. */
    private LocalActivityOptions once(String summary) {
        return LocalActivityOptions.newBuilder()
                .setStartToCloseTimeout(timeouts.localHold())
                .setRetryOptions(RetryOptions.newBuilder().setMaximumAttempts(1).build())
                .setSummary(summary)
                .build();
    }

    CapacityActivities capacity(String summary) {
        return Workflow.newActivityStub(CapacityActivities.class, control(summary));
    }

    GitLabActivities gitlab(String summary) {
        return Workflow.newActivityStub(GitLabActivities.class, control(summary));
    }

    /** Ensures the slot's runner; from the claim on it stays as it is. */
    Promise<?> ensureRunner(Holding slot) {
        return slot.claimedJobId() == null
                ? Async.procedure(gitlab("ensure the runner of " + slot.slotId())::ensureRunner, slot.slotId(), job)
                : Promise.allOf(List.of());
    }

    Promise<Launched> launch(Holding slot) {
        String summary = "launch %s %s".formatted(onHost(slot), slot.size().label());
        return Async.function(host(slot, timeouts.launch(), summary)::launch, LaunchRequest.of(slot, job));
    }

    Promise<Claimed> claim(Holding slot) {
        return Async.function(waiting(slot, "claim " + onHost(slot))::claim, ClaimRequest.of(slot, job));
    }

    Promise<Ran> run(Holding slot) {
        return Async.function(waiting(slot, "run " + onHost(slot))::run, RunRequest.of(slot, job));
    }

    Promise<Destroyed> destroy(Holding slot) {
        return Async.function(
                host(slot, timeouts.destroy(), "destroy " + onHost(slot))::destroy, DestroyRequest.of(slot));
    }

    private VmActivities host(Holding slot, Duration startToClose, String summary) {
        return Workflow.newActivityStub(
                VmActivities.class,
                ActivityOptions.newBuilder()
                        .setTaskQueue(TaskQueues.host(slot.hostId()))
                        .setScheduleToStartTimeout(timeouts.hostAnswers())
                        .setStartToCloseTimeout(startToClose)
                        .setRetryOptions(
                                RetryOptions.newBuilder().setMaximumAttempts(3).build())
                        .setCancellationType(ActivityCancellationType.ABANDON)
                        .setSummary(summary)
                        .build());
    }

    /** Waits on the host for a claim or for the job's end, over agents' restarts. */
    private VmActivities waiting(Holding slot, String summary) {
        return Workflow.newActivityStub(
                VmActivities.class,
                ActivityOptions.newBuilder()
                        .setTaskQueue(TaskQueues.hostWait(slot.hostId()))
                        .setScheduleToStartTimeout(timeouts.hostReturns())
                        .setStartToCloseTimeout(timeouts.waiting())
                        .setHeartbeatTimeout(timeouts.heartbeat())
                        .setRetryOptions(retry(Timeouts.REDELIVERY))
                        .setCancellationType(ActivityCancellationType.ABANDON)
                        .setSummary(summary)
                        .build());
    }

    private ActivityOptions control(String summary) {
        return ActivityOptions.newBuilder()
                .setTaskQueue(TaskQueues.CONTROL)
                .setStartToCloseTimeout(timeouts.control())
                .setRetryOptions(retry(timeouts.controlRetry()))
                .setCancellationType(ActivityCancellationType.ABANDON)
                .setSummary(summary)
                .build();
    }

    private static String onHost(Holding slot) {
        return slot.slotId() + " on " + slot.hostId();
    }

    private static RetryOptions retry(Duration longest) {
        return RetryOptions.newBuilder()
                .setInitialInterval(Timeouts.FIRST_PAUSE)
                .setBackoffCoefficient(2)
                .setMaximumInterval(longest)
                .build();
    }
}
