package dev.mayfly.demo.bench;

import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerOptions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * The least that an agent can be: a process that polls one task queue for activities and does nothing else. Its options
 * are the agent's.
 */
final class BareWorker {

    private BareWorker() {}

    /** Arguments: Temporal's address and the namespace. Runs until killed. */
    public static void main(String[] args) {
        WorkflowServiceStubs stubs = WorkflowServiceStubs.newServiceStubs(WorkflowServiceStubsOptions.newBuilder()
                .setTarget(args[0])
                .setGrpcReconnectFrequency(Duration.ofMinutes(30))
                .build());
        WorkflowClient client = WorkflowClient.newInstance(
                stubs,
                WorkflowClientOptions.newBuilder()
                        .setNamespace(args[1])
                        .setWorkerHeartbeatInterval(Duration.ofSeconds(-1))
                        .build());
        WorkerFactory factory = WorkerFactory.newInstance(client);
        factory.newWorker(
                        FloorWorkflow.HOST_QUEUE,
                        WorkerOptions.newBuilder()
                                .setMaxConcurrentActivityTaskPollers(2)
                                .build())
                .registerActivitiesImplementations(
                        (FloorWorkflow.Step) () -> ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()));
        factory.start();
    }
}
