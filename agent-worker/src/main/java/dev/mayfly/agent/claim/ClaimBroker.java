package dev.mayfly.agent.claim;

import dev.mayfly.agent.claim.Calls.ClaimCall;
import dev.mayfly.agent.claim.Calls.DestroyCall;
import dev.mayfly.agent.claim.Calls.RunCall;
import dev.mayfly.agent.relay.Relay;
import dev.mayfly.agent.relay.RelaySettings;
import dev.mayfly.agent.relay.RelayedVm;
import dev.mayfly.workflows.activity.VmActivities.Claimed;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.Executor;
import dev.mayfly.workflows.job.JobKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks GitLab for each slot's job, keeps the answer, reports it to the control plane, and hands it to the VM through the
 * relay; speaks for the VM if that dies. One per agent; every public method but {@link #start} returns at once. What a slot's claim has
 * come to survives the agent in the slot's secret folder: {@link #adopt} takes it up again. {@link SlotClaim} is the
 * story of one slot.
 */
public final class ClaimBroker implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ClaimBroker.class);
    private static final int STOP_SECONDS = 5;

    private final ClaimSettings settings;
    private final Map<String, SlotClaim> slots = new ConcurrentHashMap<>();
    private final Map<InetAddress, SlotClaim> addresses = new ConcurrentHashMap<>();
    private final ScheduledThreadPoolExecutor events;
    private final ExecutorService blocking;
    private final SlotContext.Shared shared;
    private final Relay relay;

    public ClaimBroker(ClaimSettings settings, ControlPlaneCalls controlPlane, Clock clock) {
        this.settings = settings;
        this.events = new ScheduledThreadPoolExecutor(1, daemon("claims"));
        this.events.setRemoveOnCancelPolicy(true);
        this.events.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        this.blocking = Executors.newCachedThreadPool(daemon("claims-blocking"));
        GitLabConnections connections = new GitLabConnections(settings, controlPlane, blocking);
        Repeater repeater = new Repeater(events, settings.retryEvery());
        this.shared = new SlotContext.Shared(settings, controlPlane, clock, events, blocking, repeater, connections);
        this.relay = new Relay(RelaySettings.standard(), this::vmAt, blocking);
    }

    /**
     * Opens the relay. Called once, after {@link #adopt} for every slot of the journal, so that no guest of this host
     * meets a relay that doesn't know it.
     *
     * @throws IOException if the relay's address can't be had
     */
    public void start() throws IOException {
        // What adopt has begun is done first: the event thread takes one thing after the other.
        CompletableFuture.runAsync(() -> {}, events).join();
        relay.listen(settings.relay());
    }

    /** Where the relay listens. */
    public InetSocketAddress relayAddress() {
        return relay.address();
    }

    /**
     * Takes note of a slot: after an agent restart, and with every new boot before its VM starts. Resumes from what is
     * stored: reports a claim, serves a committed job, speaks for a VM that died meanwhile.
     */
    public void adopt(ClaimSlot slot) {
        SlotClaim fresh = new SlotClaim(new SlotContext(shared, slot));
        SlotClaim known = slots.putIfAbsent(slot.slotId(), fresh);
        addresses.put(slot.guestAddress(), known == null ? fresh : known);
        onEvents(slot.slotId(), () -> {
            if (known == null) {
                fresh.resume();
            } else {
                known.newBoot(slot);
            }
        });
    }

    /**
     * Polls once the VM answers, until the slot has a claim that the control plane recorded. Joins a poll under way. The
     * poll goes on if nobody waits for the stage any more.
     */
    public CompletionStage<Claimed> claim(ClaimSlot slot, JobKey job) {
        return call(slot, (claim, answer) -> claim.claim(new ClaimCall(job), answer));
    }

    /** Commits and serves the claimed job unless that has happened, and ends when it has ended. */
    public CompletionStage<Ran> run(ClaimSlot slot, JobKey job, Executor executor) {
        return call(slot, (claim, answer) -> claim.run(new RunCall(job, executor), answer));
    }

    /**
     * Ends the poll, reports what it brought, and says whether destroy may go on. After {@code DESTROYED} the slot never
     * asks for a job again, and a job it had not ended is failed in GitLab; the caller destroys the VM and then calls
     * {@link #forget}.
     */
    public CompletionStage<Destroyed> settleBeforeDestroy(ClaimSlot slot, @Nullable Long knownClaimJobId) {
        return call(slot, (claim, answer) -> claim.settle(new DestroyCall(knownClaimJobId), answer));
    }

    /** Drops what is known of a slot, which the caller has destroyed; calls for it that are under way end. */
    public void forget(String slotId) {
        SlotClaim gone = slots.remove(slotId);
        if (gone != null) {
            addresses.values().removeIf(each -> each == gone);
            onEvents(slotId, gone::forget);
        }
    }

    /** The job whose claim the slot has in hand, also where it was given up; for the inventory. */
    public Optional<Long> claimedJob(String slotId) {
        SlotClaim claim = slots.get(slotId);
        return claim == null ? Optional.empty() : claim.claimedJob();
    }

    /** Closes the relay and stops asking. What is stored stays; what is being stored is stored first. */
    @Override
    public void close() {
        relay.close();
        blocking.shutdownNow();
        events.shutdown();
        try {
            if (!events.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("a slot's claim was still being worked on {} s after the stop", STOP_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        events.shutdownNow();
    }

    private Optional<RelayedVm> vmAt(InetAddress peer) {
        return Optional.ofNullable(addresses.get(peer));
    }

    private <A> CompletionStage<A> call(ClaimSlot slot, BiConsumer<SlotClaim, CompletableFuture<A>> call) {
        SlotClaim claim = slots.get(slot.slotId());
        CompletableFuture<A> answer = new CompletableFuture<>();
        if (claim == null) {
            answer.completeExceptionally(
                    new IllegalStateException("slot " + slot.slotId() + " was not adopted by the claim broker"));
        } else {
            onEvents(slot.slotId(), () -> call.accept(claim, answer));
        }
        return answer;
    }

    /** An exception in one slot's story is a bug, and must be seen; it doesn't end the others'. */
    private void onEvents(String slotId, Runnable event) {
        events.execute(() -> {
            try {
                event.run();
            } catch (RuntimeException e) {
                LOG.error("slot {}: its claim could not be advanced", slotId, e);
            }
        });
    }

    private static ThreadFactory daemon(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }
}
