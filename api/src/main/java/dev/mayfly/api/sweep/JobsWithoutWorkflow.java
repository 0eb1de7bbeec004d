package dev.mayfly.api.sweep;

import dev.mayfly.activities.jobs.JobView;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.api.start.JobIntake;
import dev.mayfly.workflows.job.JobKey;
import java.util.ArrayList;
import java.util.List;

/** A job of ours that has not ended and has no workflow: looked up again, and started again if it still waits. */
final class JobsWithoutWorkflow implements Rule {

    private static final int MOST = 500;

    private final Jobs jobs;
    private final WorkflowStates workflows;
    private final JobIntake intake;

    JobsWithoutWorkflow(Jobs jobs, WorkflowStates workflows, JobIntake intake) {
        this.jobs = jobs;
        this.workflows = workflows;
        this.intake = intake;
    }

    @Override
    public List<Orphan> find() {
        List<Orphan> orphans = new ArrayList<>();
        for (JobView view : jobs.unfinished(MOST)) {
            JobKey key = view.job().key();
            if (!workflows.isRunning(key.workflowId())) {
                orphans.add(new Orphan(
                        "job " + key,
                        "{}: its workflow does not run though it has not ended; looking it up again",
                        List.of(key),
                        view.seenAt(),
                        false,
                        () -> intake.consider(key)));
            }
        }
        return orphans;
    }
}
