package dev.mayfly.api.temporal;

import dev.mayfly.workflows.TaskQueues;
import dev.mayfly.workflows.Timeouts;
import dev.mayfly.workflows.Workflows;
import io.temporal.client.WorkflowClient;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerFactoryOptions;
import io.temporal.worker.WorkerOptions;
import io.temporal.worker.tuning.PollerBehavior;
import io.temporal.worker.tuning.PollerBehaviorAutoscaling;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The control plane's Temporal worker: the workflows themselves, and the activities that use PostgreSQL and GitLab. */
public final class ControlWorker implements AutoCloseable {

    /** The SDK's, the job's own, and one that looks up what no signal told. */
    private static final int THREADS_OF_A_WORKFLOW = 3;

    private static final int ACTIVITIES = 64;
    /** Few are too few in a flood: each brings one task at a time. */
    private static final int ACTIVITY_POLLERS = 16;

    /**
     * Some for tasks of workflows that are in memory here, and others for all else. A fixed number would all go to the
     * former while there is a backlog of them, and a new job's or a restarted control plane's would wait for ever.
     */
    private static final PollerBehavior WORKFLOW_POLLERS = new PollerBehaviorAutoscaling(2, 16, 8);

    private static final Duration STOP_WITHIN = Duration.ofSeconds(10);

    private final WorkerFactory factory;

    /**
     * A worker that has not been started.
     *
     * @param cachedWorkflows how many are kept in memory; others are played anew from their histories at each step
     * @param activities implementations
     * @param more registers further workflows
     */
    public ControlWorker(
            WorkflowClient client, int cachedWorkflows, Timeouts timeouts, Object[] activities, Consumer<Worker> more) {
        factory = WorkerFactory.newInstance(
                client,
                WorkerFactoryOptions.newBuilder()
                        .setWorkflowCacheSize(cachedWorkflows)
                        .setMaxWorkflowThreadCount(cachedWorkflows * THREADS_OF_A_WORKFLOW)
                        .build());
        Worker worker = factory.newWorker(
                TaskQueues.CONTROL,
                WorkerOptions.newBuilder()
                        .setMaxConcurrentActivityExecutionSize(ACTIVITIES)
                        .setMaxConcurrentLocalActivityExecutionSize(ACTIVITIES)
                        .setMaxConcurrentActivityTaskPollers(ACTIVITY_POLLERS)
                        .setWorkflowTaskPollersBehavior(WORKFLOW_POLLERS)
                        .build());
        Workflows.register(worker, timeouts);
        more.accept(worker);
        worker.registerActivitiesImplementations(activities);
    }

    /** Begins to poll; Temporal must answer. */
    public void start() {
        factory.start();
    }

    /** Ends polling; what is under way may finish for a while, the rest is done by whoever comes next. */
    @Override
    public void close() {
        factory.shutdown();
        factory.awaitTermination(STOP_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
        factory.shutdownNow();
    }
}
