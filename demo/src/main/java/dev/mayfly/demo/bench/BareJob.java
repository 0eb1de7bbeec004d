package dev.mayfly.demo.bench;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityOptions;
import io.temporal.common.SearchAttributeKey;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;

/** A workflow that takes as many steps as a job's, with nothing in them. */
@WorkflowInterface
public interface BareJob {

    String QUEUE = "bench.job";
    String HOST_QUEUE = "bench.job.host";

    /** How many of each; local activities, timers and heartbeats of a job's workflow have no counterpart. */
    record Steps(int activities, int upserts, int signals) {}

    @WorkflowMethod
    void run(Steps steps);

    @SignalMethod
    void tell();

    /** That step. */
    @ActivityInterface
    interface Step {

        void take();
    }

    /** Registered with the benchmark's own worker. */
    final class Impl implements BareJob {

        /** One that the control plane has registered. */
        private static final SearchAttributeKey<String> PHASE = SearchAttributeKey.forKeyword("CiPhase");

        private final Step step = Workflow.newActivityStub(
                Step.class,
                ActivityOptions.newBuilder()
                        .setTaskQueue(HOST_QUEUE)
                        .setStartToCloseTimeout(Duration.ofMinutes(5))
                        .build());
        private int told;

        @Override
        public void run(Steps steps) {
            for (int i = 0; i < Math.max(steps.activities(), steps.upserts()); i++) {
                if (i < steps.upserts()) {
                    Workflow.upsertTypedSearchAttributes(PHASE.valueSet("step " + i));
                }
                if (i < steps.activities()) {
                    step.take();
                }
            }
            Workflow.await(() -> told >= steps.signals());
        }

        @Override
        public void tell() {
            told++;
        }
    }
}
