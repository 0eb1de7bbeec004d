package dev.mayfly.workflows;

import dev.mayfly.workflows.FakeFleet.Slot;
import dev.mayfly.workflows.activity.GitLabActivities;
import dev.mayfly.workflows.activity.JobInGitLab;
import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import java.util.HashMap;
import java.util.Map;

/** GitLab as the control plane's calls see it, in memory. */
final class FakeGitLab implements GitLabActivities {

    private final FakeFleet fleet;
    private final Map<JobKey, JobInGitLab> jobs = new HashMap<>();
    int runnersCreated;
    int runnersRemoved;

    FakeGitLab(FakeFleet fleet) {
        this.fleet = fleet;
    }

    void set(JobKey job, String status, At at) {
        synchronized (fleet) {
            jobs.put(job, new JobInGitLab(status, at));
        }
    }

    JobInGitLab get(JobKey job) {
        synchronized (fleet) {
            return jobs.getOrDefault(job, new JobInGitLab("pending", At.NO_RUNNER));
        }
    }

    @Override
    public void ensureRunner(String slotId, CiJob job) {
        fleet.calls.step("ensureRunner", slotId);
        synchronized (fleet) {
            Slot slot = fleet.slot(slotId);
            if (slot.claim == null && !slot.released) {
                runnersCreated += slot.runnerTags == null ? 1 : 0;
                slot.runnerTags = job.tags();
            }
        }
    }

    @Override
    public void removeRunner(String slotId) {
        fleet.calls.step("removeRunner", slotId);
        synchronized (fleet) {
            Slot slot = fleet.slot(slotId);
            if (!slot.tombstone && !slot.host.isLost(slot.epoch)) {
                fleet.damage.add("the runner of " + slotId + " was removed before its VM was destroyed");
            }
            runnersRemoved += slot.runnerTags == null ? 0 : 1;
            slot.runnerTags = null;
        }
    }

    @Override
    public JobInGitLab lookUpJob(JobKey job) {
        fleet.calls.step("lookUpJob", job.jobId());
        return get(job);
    }

    @Override
    public void failLostJob(JobKey job, String reason) {
        fleet.calls.step("failLostJob", job.jobId());
        end(job, "failed", At.OUR_RUNNER);
    }

    @Override
    public void cancelJob(JobKey job) {
        fleet.calls.step("cancelJob", job.jobId());
        end(job, "canceled", At.NO_RUNNER);
    }

    private void end(JobKey job, String status, At at) {
        if (!get(job).ended()) {
            set(job, status, at);
        }
    }
}
