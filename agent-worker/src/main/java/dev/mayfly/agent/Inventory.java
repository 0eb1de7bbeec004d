package dev.mayfly.agent;

import dev.mayfly.agent.claim.ClaimBroker;
import dev.mayfly.agent.claim.VmEnd;
import dev.mayfly.agent.claim.VmEnd.Cause;
import dev.mayfly.agent.journal.SlotJournal;
import dev.mayfly.agent.journal.SlotRecord;
import dev.mayfly.agent.journal.SlotRecord.Stage;
import dev.mayfly.workflows.agentapi.AgentApi.DestroyedSlot;
import dev.mayfly.workflows.agentapi.AgentApi.HostFigures;
import dev.mayfly.workflows.agentapi.AgentApi.SlotReport;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** What stands in each lease renewal about this host as it is now. */
final class Inventory {

    private final HostSlots slots;
    private final SlotJournal journal;
    private final ClaimBroker broker;
    private final HostMeter meter;

    Inventory(HostSlots slots, SlotJournal journal, ClaimBroker broker, HostMeter meter) {
        this.slots = slots;
        this.journal = journal;
        this.broker = broker;
        this.meter = meter;
    }

    List<SlotReport> reports() {
        return slots.all().stream().map(this::report).toList();
    }

    /** What was destroyed and may not be known to the control plane yet. Read after {@link #reports}: none is missed. */
    List<DestroyedSlot> destroyed() {
        return journal.untold().entrySet().stream()
                .map(slot -> new DestroyedSlot(slot.getKey(), slot.getValue()))
                .toList();
    }

    @Nullable
    HostFigures figures() {
        return meter.figures();
    }

    /** The control plane has heard of these. */
    void told(List<DestroyedSlot> destroyed) {
        journal.told(destroyed.stream().map(DestroyedSlot::slotId).toList());
    }

    private SlotReport report(HostSlot slot) {
        SlotRecord record = slot.record();
        Long claimed = broker.claimedJob(record.slotId()).orElse(null);
        return new SlotReport(
                record.slotId(), record.epoch(), state(slot, claimed != null), record.bootNumber(), claimed);
    }

    private static String state(HostSlot slot, boolean claimed) {
        BootedVm boot = slot.boot();
        if (slot.record().stage() == Stage.DESTROYING) {
            return "destroying";
        }
        if (boot == null) {
            return "launching";
        }
        CompletableFuture<VmEnd> end = boot.whenVmEnds().toCompletableFuture();
        if (end.isDone()) {
            return end.join().cause() == Cause.RUNNER_ENDED ? "ended" : "dead";
        }
        if (slot.record().served()) {
            return "running";
        }
        if (claimed) {
            return "claimed";
        }
        return boot.vmAnswers() ? "ready" : "launching";
    }
}
