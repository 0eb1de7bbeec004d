package dev.mayfly.agent;

import dev.mayfly.agent.claim.ClaimBroker;
import dev.mayfly.agent.claim.VmEnd;
import dev.mayfly.agent.claim.VmEnd.Cause;
import dev.mayfly.agent.journal.SlotRecord;
import dev.mayfly.agent.journal.SlotRecord.Stage;
import dev.mayfly.workflows.agentapi.AgentApi.SlotReport;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What stands in each lease renewal about this host's slots. */
final class Inventory {

    private final HostSlots slots;
    private final ClaimBroker broker;

    Inventory(HostSlots slots, ClaimBroker broker) {
        this.slots = slots;
        this.broker = broker;
    }

    List<SlotReport> reports() {
        return slots.all().stream().map(this::report).toList();
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
