package dev.mayfly.workflows;

import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.activity.VmActivities.Ran;
import dev.mayfly.workflows.job.JobOutcome;
import dev.mayfly.workflows.job.JobOutcome.Result;
import org.jspecify.annotations.Nullable;

/** What a job's end is called. Pure. */
final class Outcomes {

    /** The status that {@code Trouble.recheck} gives a job that a foreign runner took. */
    static final String TAKEN_ELSEWHERE = "taken-elsewhere";

    private Outcomes() {}

    /** The end of a job by GitLab's own word, where no run of ours told it. */
    static JobOutcome ofStatus(@Nullable String status, @Nullable String slotId) {
        String word = status == null ? "unknown" : status;
        return switch (word) {
            case "success" -> new JobOutcome(Result.SUCCEEDED, slotId, "GitLab says success");
            case "failed" -> new JobOutcome(Result.FAILED, slotId, "GitLab says failed");
            case TAKEN_ELSEWHERE ->
                new JobOutcome(Result.TAKEN_ELSEWHERE, null, "a runner that is not ours took the job");
            default -> new JobOutcome(Result.ENDED_IN_GITLAB, slotId, "GitLab says " + word);
        };
    }

    /** The end of a run, or null if the job should look for its slot again. */
    static @Nullable JobOutcome ofRun(Ran ran, Holding slot) {
        return switch (ran.end()) {
            case SUCCEEDED -> new JobOutcome(Result.SUCCEEDED, slot.slotId(), ran.detail());
            case FAILED -> new JobOutcome(Result.FAILED, slot.slotId(), ran.detail());
            case ENDED_IN_GITLAB -> new JobOutcome(Result.ENDED_IN_GITLAB, slot.slotId(), ran.detail());
            case VM_LOST -> new JobOutcome(Result.VM_LOST, slot.slotId(), ran.detail());
            case VM_DIED_UNSERVED, REASSIGNED -> null;
        };
    }
}
