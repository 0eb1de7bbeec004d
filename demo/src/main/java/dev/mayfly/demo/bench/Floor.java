package dev.mayfly.demo.bench;

import dev.mayfly.demo.DemoCluster;
import dev.mayfly.demo.DemoNetwork;
import dev.mayfly.demo.ServerProcess;
import io.temporal.client.BatchRequest;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.WorkflowOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerOptions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Measures the floor of a launch on the cluster's own Temporal server: from a signal-with-start to the first line of the
 * workflow's only activity. The workflow runs in this process, as jobs' workflows run in the control plane; the activity
 * in a {@link BareWorker} on the first host's network, with the flags of that host's agent.
 */
final class Floor implements AutoCloseable {

    static final String IS =
            "signal-with-start of an empty workflow → first line of its only activity, on another queue";
    private static final String NAMESPACE = "mayfly";
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    /** As the control plane's worker. */
    private static final int POLLERS = 4;

    private static final int WARM_UP = 50;

    private final WorkflowServiceStubs stubs;
    private final WorkflowClient client;
    private final WorkerFactory workflows;
    private final ServerProcess activities;

    private record Begun(String workflowId, Instant at) {}

    Floor(DemoCluster cluster) {
        stubs = WorkflowServiceStubs.newServiceStubs(WorkflowServiceStubsOptions.newBuilder()
                .setTarget(cluster.temporalTarget())
                .build());
        client = WorkflowClient.newInstance(
                stubs,
                WorkflowClientOptions.newBuilder().setNamespace(NAMESPACE).build());
        workflows = WorkerFactory.newInstance(client);
        workflows
                .newWorker(
                        FloorWorkflow.QUEUE,
                        WorkerOptions.newBuilder()
                                .setMaxConcurrentWorkflowTaskPollers(POLLERS)
                                // On a busy machine a cold JVM looks like a deadlock to the SDK's usual second.
                                .setDefaultDeadlockDetectionTimeout(PATIENCE.toMillis())
                                .build())
                .registerWorkflowImplementationTypes(FloorWorkflow.Impl.class);
        activities = bareWorker(cluster);
    }

    private static ServerProcess bareWorker(DemoCluster cluster) {
        ProcessFacts agent = new ProcessFacts(cluster.hosts().agent(1).pid());
        List<String> command = new ArrayList<>(List.of("java"));
        command.addAll(agent.flags());
        command.addAll(List.of(
                "-Dlogback.configurationFile=logback-demo.xml",
                "-cp",
                System.getProperty("java.class.path"),
                BareWorker.class.getName(),
                cluster.temporalTarget(),
                NAMESPACE));
        return new ServerProcess(
                "bare-worker",
                DemoNetwork.inside(cluster.network().namespace("h1"), command),
                agent.allocatorSettings(),
                cluster.files().log("bare-worker"));
    }

    /** Starts both workers and warms them up. */
    Floor start() {
        workflows.start();
        activities.start(() -> true, PATIENCE);
        for (int i = 0; i < WARM_UP; i++) {
            measure();
        }
        return this;
    }

    /**
     * One way to an activity's first line.
     *
     * @param steps of {@link LaunchHistory#STEPS}
     */
    record Way(Duration whole, List<Duration> steps) {}

    /** Goes the way once. */
    Way measure() {
        return way(begin());
    }

    private Way way(Begun one) {
        long micros = client.newUntypedWorkflowStub(one.workflowId()).getResult(Long.class);
        Instant firstLine = Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
        LaunchHistory history = LaunchHistory.of(client, one.workflowId(), "FirstLine");
        return new Way(Duration.between(one.at(), firstLine), history.steps(one.at(), firstLine));
    }

    private Begun begin() {
        String id = "bench:" + UUID.randomUUID();
        FloorWorkflow workflow = client.newWorkflowStub(
                FloorWorkflow.class,
                WorkflowOptions.newBuilder()
                        .setWorkflowId(id)
                        .setTaskQueue(FloorWorkflow.QUEUE)
                        .setWorkflowRunTimeout(PATIENCE)
                        .build());
        BatchRequest start = client.newSignalWithStartRequest();
        start.add(workflow::run);
        start.add(workflow::begin);
        Instant at = Instant.now();
        client.signalWithStart(start);
        return new Begun(id, at);
    }

    /** The cluster's Temporal, for reading histories. */
    WorkflowClient client() {
        return client;
    }

    /** Memory of the bare worker. */
    ProcessFacts bareWorker() {
        return new ProcessFacts(activities.pid());
    }

    @Override
    public void close() {
        workflows.shutdownNow();
        activities.close();
        stubs.shutdownNow();
    }
}
