package dev.mayfly.api.start;

import dev.mayfly.workflows.CiJobWorkflow;
import dev.mayfly.workflows.JobOptions;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowExecutionAlreadyStarted;
import io.temporal.client.WorkflowNotFoundException;
import java.time.Clock;
import java.time.OffsetDateTime;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The only class that starts a job's workflow, and that signals one. Starting is an "ensure": a workflow that runs goes
 * on, one that completed stays completed, one that was terminated runs again.
 */
public final class JobStarter {

    private static final Logger LOG = LoggerFactory.getLogger(JobStarter.class);

    private final WorkflowClient client;
    private final Clock clock;

    public JobStarter(WorkflowClient client, Clock clock) {
        this.client = client;
        this.clock = clock;
    }

    /** Ensures that the job's workflow runs or has completed. */
    public void start(CiJob job) {
        CiJobWorkflow workflow =
                client.newWorkflowStub(CiJobWorkflow.class, JobOptions.of(job, OffsetDateTime.now(clock)));
        try {
            WorkflowClient.start(workflow::run, job);
            LOG.info("{}: workflow runs: {}", job.key(), job.title());
        } catch (WorkflowExecutionAlreadyStarted e) {
            LOG.debug("{}: its workflow has completed already", job.key());
        }
    }

    /** Tells the workflow what its job holds now, and why; nothing if it doesn't run. */
    public void holding(JobKey job, Holding holding, @Nullable String why) {
        signal(job, "holding", holding, why);
    }

    /** Tells the workflow that GitLab says the job has ended; nothing if it doesn't run. */
    public void ended(JobKey job, String status) {
        signal(job, "ended", status);
    }

    /** Tells the workflow to look again, and why; nothing if it doesn't run. */
    public void look(JobKey job, @Nullable String why) {
        signal(job, "look", why);
    }

    private void signal(JobKey job, String name, @Nullable Object... arguments) {
        try {
            client.newUntypedWorkflowStub(job.workflowId()).signal(name, arguments);
            LOG.debug("{}: signal {}", job, name);
        } catch (WorkflowNotFoundException e) {
            LOG.debug("{}: signal {} has nobody to go to, its workflow doesn't run", job, name);
        }
    }
}
