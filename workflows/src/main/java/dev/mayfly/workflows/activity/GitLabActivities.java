package dev.mayfly.workflows.activity;

import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/** What the control plane says to GitLab's REST API for a job. Tokens stay in PostgreSQL, sealed. */
@ActivityInterface
public interface GitLabActivities {

    /**
     * Ensures a project runner for the slot with exactly this job's tags; re-tags an unclaimed slot's runner that was
     * made for another job. From the claim on, and once the slot is released, it leaves the runner as it is.
     */
    @ActivityMethod(name = "ensureRunner")
    void ensureRunner(String slotId, CiJob job);

    /** Ensures that the slot's runner is gone from GitLab. Only after destroy was confirmed or the host is LOST. */
    @ActivityMethod(name = "removeRunner")
    void removeRunner(String slotId);

    /** Asks GitLab how the job stands; webhooks are hints that may be lost. */
    @ActivityMethod(name = "lookUpJob")
    JobInGitLab lookUpJob(JobKey job);

    /**
     * Fails a claimed job whose host is LOST, with the job's own sealed token; this also fences the VM. Does nothing
     * if the job has ended.
     */
    @ActivityMethod(name = "failLostJob")
    void failLostJob(JobKey job, String reason);

    /** Cancels the job in GitLab for an administrator. Does nothing if the job has ended. */
    @ActivityMethod(name = "cancelJob")
    void cancelJob(JobKey job);
}
