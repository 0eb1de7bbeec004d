package dev.mayfly.api.sweep;

import dev.mayfly.activities.capacity.SlotView;
import dev.mayfly.activities.capacity.Slots;
import dev.mayfly.workflows.job.JobKey;
import java.util.ArrayList;
import java.util.List;

/** A slot whose owner's workflow does not run: it was terminated by hand, or Temporal lost it. */
final class SlotsWithoutWorkflow implements Rule {

    private final Slots slots;
    private final WorkflowStates workflows;
    private final SweptSlots swept;

    SlotsWithoutWorkflow(Slots slots, WorkflowStates workflows, SweptSlots swept) {
        this.slots = slots;
        this.workflows = workflows;
        this.swept = swept;
    }

    @Override
    public List<Orphan> find() {
        swept.dismantleAll();
        List<Orphan> orphans = new ArrayList<>();
        for (SlotView slot : slots.live()) {
            JobKey owner = slot.owner();
            if (owner != null && !workflows.isRunning(owner.workflowId())) {
                orphans.add(new Orphan(
                        "slot " + slot.slotId(),
                        "{}: its workflow does not run; removing its slot {} on host {}",
                        List.of(owner, slot.slotId(), slot.hostId()),
                        slot.createdAt(),
                        true,
                        () -> swept.take(slot)));
            }
        }
        return orphans;
    }
}
