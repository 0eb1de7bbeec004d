package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobOutcome;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import org.jspecify.annotations.Nullable;

/**
 * The life of one GitLab job that asks for us. Workflow id: {@code JobKey.workflowId()}; reuse policy
 * ALLOW_DUPLICATE_FAILED_ONLY, conflict policy USE_EXISTING; task queue {@link TaskQueues#CONTROL}.
 */
@WorkflowInterface
public interface CiJobWorkflow {

    @WorkflowMethod(name = "CiJob")
    JobOutcome run(CiJob job);

    /**
     * PostgreSQL granted or exchanged a slot. A hint: doubled, late and reordered ones are tolerated.
     *
     * @param why what happened, one sentence for people; null if there is nothing to say
     */
    @SignalMethod(name = "holding")
    void holding(Holding holding, @Nullable String why);

    /** GitLab says that the job has ended. {@code status} is GitLab's word: success, failed, canceled, skipped. */
    @SignalMethod(name = "ended")
    void ended(String status);

    /**
     * Something about the job's slots changed (its host was lost, its queue place): look again.
     *
     * @param why as for {@link #holding}
     */
    @SignalMethod(name = "look")
    void lookAgain(@Nullable String why);

    /** Where the job's life stands, as the Markdown table that Temporal's UI shows as current details. */
    @QueryMethod(name = "progress")
    String progress();
}
