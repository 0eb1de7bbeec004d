package dev.mayfly.agent;

import dev.mayfly.agent.claim.ClaimBroker;
import dev.mayfly.workflows.activity.VmActivities.Destroyed;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends VMs that nobody may count on any more: when the control plane is long gone, and when it has given the host up. */
final class HostFence {

    private static final Logger log = LoggerFactory.getLogger(HostFence.class);
    private static final long SETTLE_SECONDS = 5;

    private final HostSlots slots;
    private final ClaimBroker broker;

    HostFence(HostSlots slots, ClaimBroker broker) {
        this.slots = slots;
        this.broker = broker;
    }

    /** Kills VMs without a claim: their jobs get others elsewhere. Claimed ones run on. */
    void killUnclaimed() {
        for (HostSlot slot : slots.all()) {
            String slotId = slot.record().slotId();
            BootedVm boot = slot.boot();
            if (boot != null && !boot.hasEnded() && broker.claimedJob(slotId).isEmpty()) {
                log.warn("slot {}: killed, because it has no claim and the control plane can't be reached", slotId);
                try {
                    slots.kill(slot);
                } catch (IOException e) {
                    log.error("slot {}: could not be killed; its guard does when this agent is gone", slotId, e);
                }
            }
        }
    }

    /** Destroys everything of earlier epochs; tries all of it and says whether all is gone. */
    boolean destroyOlderThan(long epoch) {
        List<HostSlot> older = slots.all().stream()
                .filter(slot -> slot.record().epoch() < epoch)
                .toList();
        boolean allGone = true;
        for (HostSlot slot : older) {
            String slotId = slot.record().slotId();
            log.warn(
                    "slot {}: destroyed, because it is of epoch {} and the host is in {}",
                    slotId,
                    slot.record().epoch(),
                    epoch);
            try {
                slots.kill(slot);
                giveUpClaim(slot);
                slots.destroy(slotId);
            } catch (IOException e) {
                log.error("slot {}: could not be destroyed, tried again with the next lease", slotId, e);
                allGone = false;
            }
        }
        return allGone;
    }

    /** Lets the broker fail towards GitLab what the control plane can't know of. */
    private void giveUpClaim(HostSlot slot) {
        BootedVm boot = slot.boot();
        if (boot != null) {
            awaitSettled(List.of(broker.settleBeforeDestroy(boot, null)));
        }
    }

    /** Waits a little until the broker has begun to end what it has in hand of slots that go. */
    static void awaitSettled(List<CompletionStage<Destroyed>> settling) {
        CompletableFuture<?>[] all =
                settling.stream().map(CompletionStage::toCompletableFuture).toArray(CompletableFuture<?>[]::new);
        try {
            CompletableFuture.allOf(all).get(SETTLE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            log.info("not all claims of slots that go were settled; the control plane fails their jobs", e);
        }
    }
}
