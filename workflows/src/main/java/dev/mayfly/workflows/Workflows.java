package dev.mayfly.workflows;

import dev.mayfly.workflows.job.CiJob;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkflowImplementationOptions;

/** Registers this module's workflows with a worker on {@link TaskQueues#CONTROL}. */
public final class Workflows {

    private Workflows() {}

    /** Before the worker starts. The workflow gets its job at once, so that an early signal finds it. */
    public static void register(Worker worker, Timeouts timeouts) {
        worker.registerWorkflowImplementationFactory(
                CiJobWorkflow.class,
                input -> new CiJobWorkflowImpl(input.get(0, CiJob.class), timeouts),
                WorkflowImplementationOptions.getDefaultInstance());
    }
}
