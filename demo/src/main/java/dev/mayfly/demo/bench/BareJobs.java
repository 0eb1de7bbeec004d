package dev.mayfly.demo.bench;

import dev.mayfly.demo.DemoCluster;
import dev.mayfly.demo.bench.BareJob.Steps;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.client.BatchRequest;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.WorkerFactory;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What jobs' workflows would cost Temporal if nothing were done in them: bare ones. */
final class BareJobs implements AutoCloseable {

    private static final int AT_ONCE = 32;

    private final WorkflowServiceStubs stubs;
    private final WorkflowClient client;
    private final WorkerFactory workers;

    BareJobs(DemoCluster cluster) {
        stubs = WorkflowServiceStubs.newServiceStubs(WorkflowServiceStubsOptions.newBuilder()
                .setTarget(cluster.temporalTarget())
                .build());
        client = WorkflowClient.newInstance(
                stubs, WorkflowClientOptions.newBuilder().setNamespace("mayfly").build());
        workers = WorkerFactory.newInstance(client);
        workers.newWorker(BareJob.QUEUE).registerWorkflowImplementationTypes(BareJob.Impl.class);
        workers.newWorker(BareJob.HOST_QUEUE).registerActivitiesImplementations((BareJob.Step) () -> {});
        workers.start();
    }

    /** What these workflows' histories show, in the mean. */
    Steps meanStepsOf(List<String> workflowIds) {
        Map<EventType, Long> events = workflowIds.stream()
                .flatMap(id -> client.fetchHistory(id).getEvents().stream())
                .collect(Collectors.groupingBy(HistoryEvent::getEventType, Collectors.counting()));
        ToIntFunction<EventType> mean =
                type -> (int) Math.round(events.getOrDefault(type, 0L) / (double) workflowIds.size());
        return new Steps(
                mean.applyAsInt(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED),
                mean.applyAsInt(EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES),
                mean.applyAsInt(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED));
    }

    /** Runs so many to their ends, a few at a time: a backlog would cost more. */
    void run(int count, Steps steps) {
        ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
        try {
            CompletableFuture.allOf(IntStream.range(0, count)
                            .mapToObj(i -> CompletableFuture.runAsync(
                                    () -> start(steps).getResult(Void.class), threads))
                            .toArray(CompletableFuture[]::new))
                    .join();
        } finally {
            threads.shutdownNow();
        }
    }

    private WorkflowStub start(Steps steps) {
        BareJob workflow = client.newWorkflowStub(
                BareJob.class,
                WorkflowOptions.newBuilder()
                        .setWorkflowId("bench:" + UUID.randomUUID())
                        .setTaskQueue(BareJob.QUEUE)
                        .build());
        if (steps.signals() == 0) {
            WorkflowClient.start(workflow::run, steps);
        } else {
            BatchRequest start = client.newSignalWithStartRequest();
            start.add(workflow::run, steps);
            start.add(workflow::tell);
            client.signalWithStart(start);
            for (int signal = 1; signal < steps.signals(); signal++) {
                workflow.tell();
            }
        }
        return WorkflowStub.fromTyped(workflow);
    }

    @Override
    public void close() {
        workers.shutdownNow();
        stubs.shutdownNow();
    }
}
