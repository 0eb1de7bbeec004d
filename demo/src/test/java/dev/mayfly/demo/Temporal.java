package dev.mayfly.demo;

import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.util.function.Function;

/** What an operator does in Temporal's UI. */
final class Temporal {

    private Temporal() {}

    /** Ends the workflow without its clean-up. */
    static void terminate(DemoCluster cluster, String workflowId) {
        on(cluster, workflowId, workflow -> {
            workflow.terminate("by hand");
            return workflowId;
        });
    }

    /** The current details of the workflow's page. */
    static String story(DemoCluster cluster, String workflowId) {
        return on(cluster, workflowId, workflow -> workflow.query("progress", String.class));
    }

    private static <T> T on(DemoCluster cluster, String workflowId, Function<WorkflowStub, T> deed) {
        WorkflowServiceStubs service = WorkflowServiceStubs.newServiceStubs(WorkflowServiceStubsOptions.newBuilder()
                .setTarget(cluster.temporalTarget())
                .build());
        try {
            WorkflowClientOptions options =
                    WorkflowClientOptions.newBuilder().setNamespace("mayfly").build();
            return deed.apply(WorkflowClient.newInstance(service, options).newUntypedWorkflowStub(workflowId));
        } finally {
            service.shutdownNow();
        }
    }
}
