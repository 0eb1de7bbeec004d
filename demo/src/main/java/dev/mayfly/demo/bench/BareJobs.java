package dev.mayfly.demo.bench;

import dev.mayfly.demo.DemoCluster;
import dev.mayfly.demo.bench.BareJob.Steps;
import io.temporal.api.enums.v1.EventType;
import io.temporal.client.BatchRequest;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.WorkerFactory;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

/** What jobs' workflows would cost Temporal if nothing were done in them: as many bare ones, all at once. */
final class BareJobs implements AutoCloseable {

    private static final int AT_ONCE = 8;

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

    /** What this workflow's history shows. */
    Steps stepsOf(String workflowId) {
        int activities = 0;
        int upserts = 0;
        int signals = 0;
        for (var event : client.fetchHistory(workflowId).getEvents()) {
            EventType type = event.getEventType();
            activities += type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED ? 1 : 0;
            upserts += type == EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES ? 1 : 0;
            signals += type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED ? 1 : 0;
        }
        return new Steps(activities, upserts, signals);
    }

    /** Runs so many to their ends. */
    void run(int count, Steps steps) {
        ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
        try {
            WorkflowStub[] started = new WorkflowStub[count];
            CompletableFuture.allOf(IntStream.range(0, count)
                            .mapToObj(i -> CompletableFuture.runAsync(() -> started[i] = start(steps), threads))
                            .toArray(CompletableFuture[]::new))
                    .join();
            for (WorkflowStub one : started) {
                one.getResult(Void.class);
            }
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
