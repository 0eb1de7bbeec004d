package dev.mayfly.api.sweep;

import dev.mayfly.activities.capacity.PostgresCapacity;
import dev.mayfly.activities.capacity.SlotView;
import dev.mayfly.activities.capacity.Slots;
import dev.mayfly.workflows.TaskQueues;
import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.api.enums.v1.WorkflowIdReusePolicy;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import org.jspecify.annotations.Nullable;

/** The slots that the sweeper owns, each dismantled by a workflow of its own, so that no crash leaves one half removed. */
final class SweptSlots implements SweepActivities {

    private final PostgresCapacity capacity;
    private final Slots slots;
    private final WorkflowClient client;

    SweptSlots(PostgresCapacity capacity, Slots slots, WorkflowClient client) {
        this.capacity = capacity;
        this.slots = slots;
        this.client = client;
    }

    /** Takes the slot, if nothing about it has changed since it was read, and has it dismantled. */
    void take(SlotView slot) {
        if (capacity.sweep(slot.slotId(), slot.generation())) {
            dismantle(swept(slot));
        }
    }

    /** Ensures that every slot of the sweeper is being dismantled. */
    void dismantleAll() {
        slots.live().stream()
                .filter(slot -> slot.owner() == null)
                .map(SweptSlots::swept)
                .forEach(this::dismantle);
    }

    @Override
    public @Nullable SweptSlot sweptSlot(String slotId) {
        return slots.find(slotId)
                .filter(slot -> slot.owner() == null)
                .map(SweptSlots::swept)
                .orElse(null);
    }

    @Override
    public void releaseSwept(String slotId) {
        capacity.releaseSwept(slotId);
    }

    private void dismantle(SweptSlot slot) {
        DismantleSlotWorkflow workflow = client.newWorkflowStub(
                DismantleSlotWorkflow.class,
                WorkflowOptions.newBuilder()
                        .setWorkflowId("dismantle:" + slot.slotId())
                        .setWorkflowIdReusePolicy(WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE)
                        .setWorkflowIdConflictPolicy(WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)
                        .setTaskQueue(TaskQueues.CONTROL)
                        .setStaticSummary("dismantle %s on %s".formatted(slot.slotId(), slot.hostId()))
                        .build());
        WorkflowClient.start(workflow::run, slot);
    }

    private static SweptSlot swept(SlotView slot) {
        return new SweptSlot(slot.slotId(), slot.hostId(), slot.epoch(), slot.claimedBy());
    }
}
