package dev.mayfly.workflows.activity;

import dev.mayfly.workflows.job.JobKey;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import org.jspecify.annotations.Nullable;

/** What the queue tells people; nothing is decided by it. Runs in the control plane. */
@ActivityInterface
public interface QueueActivities {

    /** Why the job does not run yet and how long that may take, in one sentence; null if the job is not known. */
    @ActivityMethod(name = "whyWaiting")
    @Nullable
    String whyWaiting(JobKey job);
}
