package dev.mayfly.agent;

import dev.mayfly.agent.claim.ClaimBroker;
import dev.mayfly.agent.journal.SlotRecord.Stage;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.activity.VmActivities;
import io.temporal.activity.Activity;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What workflows ask of this host. Each call may come twice, late, or to a successor of the agent that it was sent to. */
final class HostVms implements VmActivities {

    private static final Logger log = LoggerFactory.getLogger(HostVms.class);
    private static final long SETTLE_WITHIN_SECONDS = 90;

    private final HostSlots slots;
    private final ClaimBroker broker;
    private final HostIdentity identity;
    private final WaitingCalls waiting;

    HostVms(HostSlots slots, ClaimBroker broker, HostIdentity identity, WaitingCalls waiting) {
        this.slots = slots;
        this.broker = broker;
        this.identity = identity;
        this.waiting = waiting;
    }

    @Override
    public Launched launch(LaunchRequest request) {
        log.debug("slot {}: asked to launch for {}", request.slotId(), request.title());
        refuseOtherEpoch(request.slotId(), request.epoch());
        return new Launched(slots.launch(request));
    }

    @Override
    public Claimed claim(ClaimRequest request) {
        BootedVm vm = bootOf(request.slotId(), request.epoch());
        CompletionStage<Claimed> claimed =
                vm == null ? CompletableFuture.completedFuture(Claimed.VM_DIED) : broker.claim(vm, request.job());
        waiting.completeWith(Activity.getExecutionContext(), claimed);
        return Claimed.VM_DIED; // not looked at: the call is completed by its stage
    }

    @Override
    public Ran run(RunRequest request) {
        BootedVm vm = bootOf(request.slotId(), request.epoch());
        CompletionStage<Ran> ran = vm == null
                ? CompletableFuture.completedFuture(
                        new Ran(Ran.End.VM_DIED_UNSERVED, "the host knows of no VM of slot " + request.slotId()))
                : broker.run(vm, request.job(), request.executor());
        waiting.completeWith(Activity.getExecutionContext(), ran);
        return new Ran(Ran.End.VM_DIED_UNSERVED, ""); // not looked at: the call is completed by its stage
    }

    @Override
    public Destroyed destroy(DestroyRequest request) {
        refuseOtherEpoch(request.slotId(), request.epoch());
        HostSlot slot = slots.find(request.slotId());
        BootedVm vm = slot == null ? null : slot.boot();
        boolean settled = slot != null && slot.record().stage() == Stage.DESTROYING;
        if (vm != null && !settled && settle(vm, request) == Destroyed.REASSIGNED) {
            return Destroyed.REASSIGNED;
        }
        try {
            slots.destroy(request.slotId());
        } catch (IOException e) {
            throw FailureType.LAUNCH_FAILED.failure(String.valueOf(e.getMessage()), e);
        }
        return Destroyed.DESTROYED;
    }

    private Destroyed settle(BootedVm vm, DestroyRequest request) {
        try {
            return broker.settleBeforeDestroy(vm, request.knownClaimJobId())
                    .toCompletableFuture()
                    .get(SETTLE_WITHIN_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Activity.wrap(e);
        } catch (ExecutionException | TimeoutException e) {
            throw FailureType.LAUNCH_FAILED.failure(
                    "slot %s on %s: what its poll brought could not be reported yet; destroy is tried again"
                            .formatted(request.slotId(), identity.hostId()),
                    e);
        }
    }

    /** Null if no VM was ever tried; a slot that was destroyed is refused. */
    private @org.jspecify.annotations.Nullable BootedVm bootOf(String slotId, long epoch) {
        refuseOtherEpoch(slotId, epoch);
        HostSlot slot = slots.find(slotId);
        if (slot == null && slots.isBuried(slotId)) {
            throw FailureType.TOMBSTONE.failure("slot %s on %s was destroyed".formatted(slotId, identity.hostId()));
        }
        return slot == null ? null : slot.boot();
    }

    private void refuseOtherEpoch(String slotId, long epoch) {
        if (epoch != identity.epoch()) {
            throw FailureType.WRONG_EPOCH.failure("slot %s was granted in epoch %d of %s, which is in epoch %d"
                    .formatted(slotId, epoch, identity.hostId(), identity.epoch()));
        }
    }
}
