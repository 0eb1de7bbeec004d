package dev.mayfly.api.sweep;

import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;

/** Dismantles a slot that the sweeper took. Workflow id {@code dismantle:<slot id>}. */
@WorkflowInterface
public interface DismantleSlotWorkflow {

    @WorkflowMethod(name = "DismantleSlot")
    void run(SweptSlot slot);
}
