package dev.mayfly.activities.gitlab;

import dev.mayfly.activities.seal.Sealer;
import dev.mayfly.workflows.activity.GitLabActivities;
import dev.mayfly.workflows.activity.JobInGitLab;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenRequest;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/** Jobs and runners in GitLab. Failures are {@code ApplicationFailure}s of {@code FailureType.GITLAB_*}. */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
public final class GitLabJobs implements GitLabActivities {

    /** @param vmTimeToLive runners' maximum time-out, at least ten minutes */
    public GitLabJobs(
            Jdbi jdbi, Clock clock, GitLabs gitlabs, Sealer sealer, String installation, Duration vmTimeToLive) {
        throw new UnsupportedOperationException(
                "soon: " + jdbi + clock + gitlabs + sealer + installation + vmTimeToLive);
    }

    @Override
    public void ensureRunner(String slotId, CiJob job) {
        throw new UnsupportedOperationException("soon: " + slotId + job);
    }

    @Override
    public void removeRunner(String slotId) {
        throw new UnsupportedOperationException("soon: " + slotId);
    }

    @Override
    public JobInGitLab lookUpJob(JobKey job) {
        throw new UnsupportedOperationException("soon: " + job);
    }

    @Override
    public void failLostJob(JobKey job, String reason) {
        throw new UnsupportedOperationException("soon: " + job + reason);
    }

    @Override
    public void cancelJob(JobKey job) {
        throw new UnsupportedOperationException("soon: " + job);
    }

    /** The job's facts; empty if GitLab answers 404. */
    public Optional<JobFacts> getJob(JobKey job) {
        throw new UnsupportedOperationException("soon: " + job);
    }

    /** Pending and running jobs of a project, for the reconciler. */
    public List<JobFacts> activeJobs(String instance, long projectId) {
        throw new UnsupportedOperationException("soon: " + instance + projectId);
    }

    /** Runners of a project that carry this installation's note, with the slot that each names. */
    public List<NotedRunner> notedRunners(String instance, long projectId) {
        throw new UnsupportedOperationException("soon: " + instance + projectId);
    }

    /** Removes a runner by its number; one that is gone is fine. For the sweeper. */
    public void removeRunner(String instance, long runnerId) {
        throw new UnsupportedOperationException("soon: " + instance + runnerId);
    }

    /**
     * A slot's runner token, bound to the first nonce.
     *
     * @throws TokenRefusedException old epoch, released slot, another nonce or another host
     * @return empty while no runner is registered
     */
    public Optional<RunnerTokenReply> runnerToken(String hostId, RunnerTokenRequest request) {
        throw new UnsupportedOperationException("soon: " + hostId + request);
    }

    /** A runner whose note says that this installation made it for that slot. */
    public record NotedRunner(long runnerId, String slotId) {}
}
