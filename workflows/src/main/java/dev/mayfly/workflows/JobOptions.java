package dev.mayfly.workflows;

import dev.mayfly.workflows.job.CiJob;
import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.api.enums.v1.WorkflowIdReusePolicy;
import io.temporal.client.WorkflowOptions;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.List;

/**
 * How a job's workflow is started. Starting is an "ensure": a workflow that runs goes on, one that completed stays
 * completed, one that was terminated runs again. What is known of the job by then stands in Temporal's UI from the first
 * moment, whether or not a worker runs.
 */
public final class JobOptions {

    /** Temporal's limit of a static summary. */
    private static final int SUMMARY_BYTES = 200;

    private JobOptions() {}

    /** The options for this job, which GitLab handed to us at that time. */
    public static WorkflowOptions of(CiJob job, OffsetDateTime queuedAt) {
        return WorkflowOptions.newBuilder()
                .setWorkflowId(job.key().workflowId())
                .setWorkflowIdReusePolicy(WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY)
                .setWorkflowIdConflictPolicy(WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)
                .setTaskQueue(TaskQueues.CONTROL)
                // The first task comes back with the start, to this process's own worker: one hop less. If this process
                // dies with it, the task's time-out brings it to another.
                .setDisableEagerExecution(false)
                .setTypedSearchAttributes(SearchAttributes.of(job, queuedAt))
                .setStaticSummary(cutBytes(job.title(), SUMMARY_BYTES))
                .setStaticDetails(details(job))
                .build();
    }

    private static String details(CiJob job) {
        String project = job.webUrl().replaceFirst("/-/jobs/.*", "");
        return String.join(
                "\n\n",
                List.of(
                        "[Job %d %s](%s)".formatted(job.key().jobId(), job.name(), job.webUrl()),
                        "[Pipeline %d](%s/-/pipelines/%d)".formatted(job.pipelineId(), project, job.pipelineId()),
                        "[%s](%s) at `%s` (%s), started by %s"
                                .formatted(job.projectPath(), project, job.ref(), job.sha(), job.user()),
                        "Tags: " + String.join(", ", job.tags())));
    }

    private static String cutBytes(String text, int bytes) {
        String shorter = text;
        while (shorter.getBytes(StandardCharsets.UTF_8).length > bytes) {
            shorter = shorter.substring(0, shorter.offsetByCodePoints(shorter.length(), -1));
        }
        return shorter;
    }
}
