package dev.mayfly.activities.gitlab;

import dev.mayfly.activities.capacity.PostgresCapacity;
import dev.mayfly.activities.jobs.Jobs.Project;
import dev.mayfly.activities.seal.Sealer;
import dev.mayfly.workflows.activity.GitLabActivities;
import dev.mayfly.workflows.activity.JobInGitLab;
import dev.mayfly.workflows.activity.JobInGitLab.At;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenRequest;
import dev.mayfly.workflows.job.CiJob;
import dev.mayfly.workflows.job.JobKey;
import io.temporal.activity.Activity;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.gitlab4j.api.GitLabApi;
import org.gitlab4j.api.GitLabApiException;
import org.gitlab4j.api.models.AccessLevel;
import org.gitlab4j.api.models.Job;
import org.gitlab4j.api.models.ProjectFilter;
import org.gitlab4j.models.Constants.JobScope;
import org.gitlab4j.models.Constants.ProjectOrderBy;
import org.jdbi.v3.core.Jdbi;

/** Jobs and runners in GitLab. Failures are {@code ApplicationFailure}s of {@code FailureType.GITLAB_*}. */
public final class GitLabJobs implements GitLabActivities {

    private static final int PER_PAGE = 100;

    private final Jdbi jdbi;
    private final GitLabs gitlabs;
    private final Sealer sealer;
    private final ProjectRunners runners;
    private final LostJobs lostJobs;

    /** @param vmTimeToLive runners' maximum time-out, at least ten minutes */
    public GitLabJobs(
            Jdbi jdbi, Clock clock, GitLabs gitlabs, Sealer sealer, String installation, Duration vmTimeToLive) {
        this.jdbi = jdbi;
        this.gitlabs = gitlabs;
        this.sealer = sealer;
        this.runners = new ProjectRunners(jdbi, clock, gitlabs, sealer, installation, vmTimeToLive);
        this.lostJobs = new LostJobs(gitlabs);
    }

    @Override
    public void ensureRunner(String slotId, CiJob job) {
        runners.ensure(slotId, job, Activity.getExecutionContext().getInfo().getAttempt() > 1);
    }

    @Override
    public void removeRunner(String slotId) {
        runners.removeOf(slotId);
    }

    @Override
    public JobInGitLab lookUpJob(JobKey job) {
        return getJob(job)
                .map(facts -> new JobInGitLab(facts.status(), at(job, facts)))
                .orElseGet(() -> new JobInGitLab("gone", At.NO_RUNNER));
    }

    private At at(JobKey job, JobFacts facts) {
        Long runner = facts.runnerId();
        if (runner == null) {
            return At.NO_RUNNER;
        }
        boolean isOurs = jdbi.withExtension(RunnerDao.class, dao -> dao.isOurs(job.instance(), runner));
        return isOurs ? At.OUR_RUNNER : At.FOREIGN_RUNNER;
    }

    @Override
    public void failLostJob(JobKey job, String reason) {
        byte[] sealed = jdbi.withExtension(RunnerDao.class, dao -> dao.sealedJobToken(job.workflowId()));
        if (sealed == null) { // no agent ever reported its token: all that is left is GitLab's own API
            cancelJob(job);
            return;
        }
        lostJobs.fail(job, sealer.open(sealed, PostgresCapacity.jobTokenContext(job)), reason);
    }

    @Override
    public void cancelJob(JobKey job) {
        try {
            api(job).getJobApi().cancelJob(job.projectId(), job.jobId());
        } catch (GitLabApiException e) {
            boolean ended = !GitLabErrors.isRetryable(e.getHttpStatus())
                    && lookUpJob(job).ended();
            if (!ended) {
                throw GitLabErrors.failure("cancelling job " + job, e);
            }
        }
    }

    /** The job's facts; empty if GitLab answers 404. */
    public Optional<JobFacts> getJob(JobKey job) {
        try {
            return Optional.of(
                    facts(job.instance(), job.projectId(), api(job).getJobApi().getJob(job.projectId(), job.jobId())));
        } catch (GitLabApiException e) {
            if (e.getHttpStatus() == GitLabErrors.NOT_FOUND) {
                return Optional.empty();
            }
            throw GitLabErrors.failure("looking up job " + job, e);
        }
    }

    /** Pending jobs of a project, for the reconciler. */
    public List<JobFacts> pendingJobs(String instance, long projectId) {
        return jobs(instance, projectId, JobScope.PENDING);
    }

    /** Projects that our token's user maintains, most recently active first; for the reconciler. */
    public List<Project> maintainedProjects(String instance, int most) {
        ProjectFilter filter = maintained();
        try {
            List<Project> found = new ArrayList<>();
            for (int page = 1; found.size() < most; page++) {
                var projects = gitlabs.api(instance).getProjectApi().getProjects(filter, page, PER_PAGE);
                projects.forEach(one -> found.add(new Project(instance, one.getId(), one.getPathWithNamespace())));
                if (projects.size() < PER_PAGE) {
                    break;
                }
            }
            return found;
        } catch (GitLabApiException e) {
            throw GitLabErrors.failure("listing projects of GitLab " + instance, e);
        }
    }

    /** Projects that the access token's user maintains, most recently active first. */
    public static ProjectFilter maintained() {
        return new ProjectFilter()
                .withMembership(true)
                .withMinAccessLevel(AccessLevel.MAINTAINER)
                .withArchived(false)
                .withSimple(true)
                .withOrderBy(ProjectOrderBy.LAST_ACTIVITY_AT);
    }

    /** Pending and running jobs of a project, for the sweeper. */
    public List<JobFacts> activeJobs(String instance, long projectId) {
        return Stream.of(JobScope.PENDING, JobScope.RUNNING)
                .flatMap(scope -> jobs(instance, projectId, scope).stream())
                .toList();
    }

    private List<JobFacts> jobs(String instance, long projectId, JobScope scope) {
        try {
            return gitlabs.api(instance).getJobApi().getJobs(projectId, scope).stream()
                    .map(job -> facts(instance, projectId, job))
                    .toList();
        } catch (GitLabApiException e) {
            if (e.getHttpStatus() == GitLabErrors.NOT_FOUND) { // the project is gone
                return List.of();
            }
            throw GitLabErrors.failure("listing jobs of project %d of GitLab %s".formatted(projectId, instance), e);
        }
    }

    /** Runners of a project that carry this installation's mark, with the slot that each names. */
    public List<NotedRunner> notedRunners(String instance, long projectId) {
        return runners.noted(instance, projectId);
    }

    /** Removes a runner by its number; one that is gone is fine. For the sweeper. */
    public void removeRunner(String instance, long runnerId) {
        runners.remove(instance, runnerId);
    }

    /**
     * A slot's runner token, bound to the first nonce.
     *
     * @throws TokenRefusedException old epoch, released slot, another nonce or another host
     * @return empty while no runner is registered
     */
    public Optional<RunnerTokenReply> runnerToken(String hostId, RunnerTokenRequest request) {
        return runners.token(hostId, request);
    }

    private GitLabApi api(JobKey job) {
        return gitlabs.api(job.instance());
    }

    private JobFacts facts(String instance, long projectId, Job job) {
        return JobFacts.of(
                new JobKey(instance, projectId, job.getId()),
                job,
                gitlabs.instance(instance).url());
    }

    /** A runner whose description says that this installation made it for that slot. */
    public record NotedRunner(long runnerId, String slotId) {}
}
