package dev.mayfly.api.start;

import dev.mayfly.workflows.CiJobWorkflow;
import dev.mayfly.workflows.SearchAttributes;
import dev.mayfly.workflows.TaskQueues;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.api.enums.v1.WorkflowIdReusePolicy;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowExecutionAlreadyStarted;
import io.temporal.client.WorkflowNotFoundException;
import io.temporal.client.WorkflowOptions;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.OffsetDateTime;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The only class that starts a job's workflow, and that signals one. Starting is an "ensure": a workflow that runs goes
 * on, one that completed stays completed, one that was terminated runs again.
 */
public final class JobStarter {

    private static final Logger LOG = LoggerFactory.getLogger(JobStarter.class);
    /** Temporal's limit of a static summary. */
    private static final int SUMMARY_BYTES = 200;
    /** Width of a Keyword column in PostgreSQL visibility; a longer value would refuse the whole start. */
    private static final int KEYWORD_CHARS = 255;

    private final WorkflowClient client;
    private final Clock clock;

    public JobStarter(WorkflowClient client, Clock clock) {
        this.client = client;
        this.clock = clock;
    }

    /** Ensures that the job's workflow runs or has completed. */
    public void start(CiJob job) {
        CiJobWorkflow workflow = client.newWorkflowStub(CiJobWorkflow.class, options(job));
        try {
            WorkflowClient.start(workflow::run, job);
            LOG.info("{}: workflow runs: {}", job.key(), job.title());
        } catch (WorkflowExecutionAlreadyStarted e) {
            LOG.debug("{}: its workflow has completed already", job.key());
        }
    }

    /** Tells the workflow what its job holds now; nothing if it doesn't run. */
    public void holding(JobKey job, Holding holding) {
        signal(job, "holding", holding);
    }

    /** Tells the workflow that GitLab says the job has ended; nothing if it doesn't run. */
    public void ended(JobKey job, String status) {
        signal(job, "ended", status);
    }

    /** Tells the workflow to look again; nothing if it doesn't run. */
    public void look(JobKey job) {
        signal(job, "look");
    }

    private void signal(JobKey job, String name, Object... arguments) {
        try {
            client.newUntypedWorkflowStub(job.workflowId()).signal(name, arguments);
            LOG.debug("{}: signal {}", job, name);
        } catch (WorkflowNotFoundException e) {
            LOG.debug("{}: signal {} has nobody to go to, its workflow doesn't run", job, name);
        }
    }

    private WorkflowOptions options(CiJob job) {
        return WorkflowOptions.newBuilder()
                .setWorkflowId(job.key().workflowId())
                .setWorkflowIdReusePolicy(WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY)
                .setWorkflowIdConflictPolicy(WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)
                .setTaskQueue(TaskQueues.CONTROL)
                // The first task comes back with the start, to this process's own worker: one hop less. If this process
                // dies with it, the task's time-out brings it to another.
                .setDisableEagerExecution(false)
                .setTypedSearchAttributes(SearchAttributes.of(searchable(job), OffsetDateTime.now(clock)))
                .setStaticSummary(cutBytes(job.title(), SUMMARY_BYTES))
                .setStaticDetails(details(job))
                .build();
    }

    private static CiJob searchable(CiJob job) {
        return new CiJob(
                job.key(),
                cut(job.projectPath()),
                cut(job.name()),
                cut(job.stage()),
                cut(job.ref()),
                job.sha(),
                job.pipelineId(),
                job.webUrl(),
                cut(job.user()),
                job.tags().stream().map(JobStarter::cut).toList(),
                job.size(),
                job.executor());
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

    private static String cut(String text) {
        return text.length() <= KEYWORD_CHARS ? text : text.substring(0, KEYWORD_CHARS);
    }

    private static String cutBytes(String text, int bytes) {
        String shorter = text;
        while (shorter.getBytes(StandardCharsets.UTF_8).length > bytes) {
            shorter = shorter.substring(0, shorter.offsetByCodePoints(shorter.length(), -1));
        }
        return shorter;
    }
}
