package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobOutcome.Result;
import org.jspecify.annotations.Nullable;

/** What a job's end is called. Pure. */
final class Outcomes {

    private Outcomes() {}

    /** The end of a job by GitLab's own word, where no run of ours told it. */
    static JobOutcome ofStatus(String status, @Nullable String slotId) {
        return switch (status) {
            case "success" -> new JobOutcome(Result.SUCCEEDED, slotId, "GitLab says success");
            case "failed" -> new JobOutcome(Result.FAILED, slotId, "GitLab says failed");
            default -> new JobOutcome(Result.ENDED_IN_GITLAB, slotId, "GitLab says " + status);
        };
    }

    /** A runner that isn't ours has the job. */
    static JobOutcome takenElsewhere() {
        return new JobOutcome(Result.TAKEN_ELSEWHERE, null, "a runner that is not ours took the job");
    }

    /** The workflow was cancelled: an administrator wants the job to end. */
    static JobOutcome cancelledHere(@Nullable String slotId) {
        return new JobOutcome(Result.ENDED_IN_GITLAB, slotId, "cancelled in Temporal");
    }

    /** The end of a run, or null if the job should look for its slot again. */
    static @Nullable JobOutcome ofRun(Ran ran, String slotId) {
        return switch (ran.end()) {
            case SUCCEEDED -> new JobOutcome(Result.SUCCEEDED, slotId, ran.detail());
            case FAILED -> new JobOutcome(Result.FAILED, slotId, ran.detail());
            case ENDED_IN_GITLAB -> new JobOutcome(Result.ENDED_IN_GITLAB, slotId, ran.detail());
            case VM_LOST -> new JobOutcome(Result.VM_LOST, slotId, ran.detail());
            case VM_DIED_UNSERVED, REASSIGNED -> null;
        };
    }
}
