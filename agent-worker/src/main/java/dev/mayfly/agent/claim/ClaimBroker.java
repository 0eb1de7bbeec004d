package dev.mayfly.agent.claim;

import dev.mayfly.workflows.activity.VmActivities;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Asks GitLab for each slot's job, keeps the answer, reports it to the control plane, and hands it to the VM through the
 * relay. One per agent. Every public method returns at once.
 */
public final class ClaimBroker implements AutoCloseable {

    public ClaimBroker(ClaimSettings settings, ControlPlaneCalls controlPlane, Clock clock) {}

    /**
     * Opens the relay. Called once, after {@link #adopt} for every slot of the journal, so that no guest of this host
     * meets a relay that doesn't know it.
     */
    public void start() throws java.io.IOException {}

    /** Takes note of a slot: after an agent restart, and with every new boot. Resumes from what is stored. */
    public void adopt(ClaimSlot slot) {}

    /** Polls once the VM answers, until the slot has a claim that the control plane recorded. Joins a poll under way. */
    public CompletionStage<VmActivities.Claimed> claim(ClaimSlot slot, JobKey job) {
        return CompletableFuture.failedFuture(new IllegalStateException("not built yet"));
    }

    /** Commits and serves the claimed job unless that has happened, and ends when it has ended. */
    public CompletionStage<VmActivities.Ran> run(ClaimSlot slot, JobKey job, Executor executor) {
        return CompletableFuture.failedFuture(new IllegalStateException("not built yet"));
    }

    /**
     * Ends the poll, reports what it brought, and says whether destroy may go on. After {@code DESTROYED} the slot's poll
     * never starts again; the caller destroys the VM and then calls {@link #forget}.
     */
    public CompletionStage<VmActivities.Destroyed> settleBeforeDestroy(ClaimSlot slot, @Nullable Long knownClaimJobId) {
        return CompletableFuture.failedFuture(new IllegalStateException("not built yet"));
    }

    /** Drops what is known of a slot, which the caller has destroyed; calls for it that are under way end. */
    public void forget(String slotId) {}

    /** The job whose claim the slot has in hand, also where it was given up; for the inventory. */
    public Optional<Long> claimedJob(String slotId) {
        return Optional.empty();
    }

    @Override
    public void close() {}
}
