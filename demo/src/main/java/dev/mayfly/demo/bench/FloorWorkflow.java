package dev.mayfly.demo.bench;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityOptions;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;

/** The least that a durable launch can be: a workflow whose only step is one activity on another task queue. */
@WorkflowInterface
public interface FloorWorkflow {

    String QUEUE = "bench.control";
    String HOST_QUEUE = "bench.host";

    /** When the activity's first line ran, in microseconds since 1970. */
    @WorkflowMethod
    long run();

    /** Does nothing; a start comes with a signal. */
    @SignalMethod
    void begin();

    /** That step. */
    @ActivityInterface
    interface Step {

        long firstLine();
    }

    /** Registered with the benchmark's own worker. */
    final class Impl implements FloorWorkflow {

        private final Step step = Workflow.newActivityStub(
                Step.class,
                ActivityOptions.newBuilder()
                        .setTaskQueue(HOST_QUEUE)
                        .setStartToCloseTimeout(Duration.ofMinutes(1))
                        .build());

        @Override
        public long run() {
            return step.firstLine();
        }

        @Override
        public void begin() {}
    }
}
