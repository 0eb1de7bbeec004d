package dev.mayfly.activities.gitlab;

import dev.mayfly.activities.gitlab.GitLabJobs.NotedRunner;
import dev.mayfly.activities.gitlab.RunnerDao.SlotNow;
import dev.mayfly.activities.seal.Sealer;
import dev.mayfly.workflows.activity.FailureType;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenRequest;
import dev.mayfly.workflows.job.CiJob;
import io.temporal.failure.ApplicationFailure;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.gitlab4j.api.GitLabApiException;
import org.gitlab4j.api.models.CreateRunnerParams;
import org.gitlab4j.api.models.CreateRunnerResponse;
import org.gitlab4j.api.models.Runner;
import org.gitlab4j.api.models.Runner.RunnerType;
import org.jdbi.v3.core.Jdbi;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One project runner per slot. A runner is made in GitLab first and then written down; what a crash leaves in between
 * carries the slot's name, and goes with the next try or with the sweeper.
 */
final class ProjectRunners {

    private static final Logger LOG = LoggerFactory.getLogger(ProjectRunners.class);
    private static final String PREFIX = "mayfly ";
    private static final int PER_PAGE = 100;
    private static final int BAD_REQUEST = 400;
    private static final Duration AT_LIMIT = Duration.ofSeconds(30);
    /** GitLab takes no shorter one. */
    private static final Duration SHORTEST_TIMEOUT = Duration.ofMinutes(10);

    private final Jdbi jdbi;
    private final Clock clock;
    private final GitLabs gitlabs;
    private final Sealer sealer;
    private final String installation;
    private final Pattern ours;
    private final int maximumTimeoutSeconds;

    ProjectRunners(Jdbi jdbi, Clock clock, GitLabs gitlabs, Sealer sealer, String installation, Duration vmTimeToLive) {
        this.jdbi = jdbi;
        this.clock = clock;
        this.gitlabs = gitlabs;
        this.sealer = sealer;
        this.installation = installation;
        this.ours = Pattern.compile(PREFIX + "(" + Pattern.quote(installation) + "-[0-9]{1,7})");
        Duration longest = vmTimeToLive.compareTo(SHORTEST_TIMEOUT) < 0 ? SHORTEST_TIMEOUT : vmTimeToLive;
        this.maximumTimeoutSeconds = (int) longest.toSeconds();
    }

    void ensure(String slotId, CiJob job, boolean again) {
        SlotNow slot = jdbi.withExtension(RunnerDao.class, runners -> runners.slot(slotId));
        if (slot == null || slot.released() || slot.claimed()) {
            LOG.info(
                    "{}: slot {} is {}: its runner stays as it is",
                    job.key(),
                    slotId,
                    slot == null || slot.released() ? "released" : "claimed");
            return;
        }
        RunnerRow runner = jdbi.withExtension(RunnerDao.class, runners -> runners.ofSlot(slotId));
        if (runner != null && !runner.removed() && retag(runner, job)) {
            return;
        }
        if (again) {
            removeForgotten(slotId, job);
        }
        create(slotId, job);
    }

    /** False if the runner is gone from GitLab: somebody removed it. */
    private boolean retag(RunnerRow runner, CiJob job) {
        try {
            gitlabs.api(runner.instance())
                    .getRunnersApi()
                    .updateRunner(runner.runnerId(), null, null, job.tags(), false, true, null);
            jdbi.useExtension(RunnerDao.class, runners -> runners.setTags(runner.slotId(), job.tags()));
            return true;
        } catch (GitLabApiException e) {
            if (e.getHttpStatus() != GitLabErrors.NOT_FOUND) {
                throw GitLabErrors.failure(doing("setting the tags of runner " + runner.runnerId(), job), e);
            }
            LOG.warn(
                    "{}: runner {} of slot {} was removed from GitLab by somebody else; making another",
                    job.key(),
                    runner.runnerId(),
                    runner.slotId());
            jdbi.useExtension(RunnerDao.class, runners -> runners.forget(runner.slotId(), runner.runnerId()));
            return false;
        }
    }

    private void create(String slotId, CiJob job) {
        CreateRunnerResponse created;
        try {
            created = gitlabs.api(job.key().instance())
                    .getUserApi()
                    .createRunner(new CreateRunnerParams()
                            .withRunnerType(RunnerType.PROJECT_TYPE)
                            .withProjectId(job.key().projectId())
                            .withDescription(PREFIX + slotId)
                            .withMaintenanceNote(("Made by the Mayfly installation %s for its VM %s, job %s."
                                            + " It is removed when the VM is gone.")
                                    .formatted(installation, slotId, job.webUrl()))
                            .withTagList(job.tags())
                            .withRunUntagged(false)
                            .withLocked(true)
                            .withMaximumTimeout(maximumTimeoutSeconds));
        } catch (GitLabApiException e) {
            throw failedToCreate(doing("creating a runner", job), e);
        }
        byte[] token = sealer.seal(created.getToken(), sealContext(slotId));
        boolean first = jdbi.withExtension(
                RunnerDao.class,
                runners -> runners.insert(
                        slotId,
                        job.key().instance(),
                        job.key().projectId(),
                        created.getId(),
                        job.tags(),
                        token,
                        clock.instant()));
        if (!first) { // an abandoned call of the same slot was faster
            remove(job.key().instance(), created.getId());
        }
    }

    /** At GitLab's limit of runners in a project it works again as soon as some are removed, as each of ours will be. */
    private static ApplicationFailure failedToCreate(String doing, GitLabApiException failure) {
        String said = String.valueOf(failure.getMessage());
        if (failure.getHttpStatus() == BAD_REQUEST
                && said.contains("Maximum number of ci registered project runners")) {
            return ApplicationFailure.newBuilder()
                    .setMessage(
                            ("%s: %s; trying again: remove runners that nobody needs, or have an administrator raise"
                                            + " the plan limit ci_registered_project_runners")
                                    .formatted(doing, said))
                    .setType(FailureType.GITLAB_UNAVAILABLE.name())
                    .setNextRetryDelay(AT_LIMIT)
                    .build();
        }
        return GitLabErrors.failure(doing, failure);
    }

    /** Runners that an earlier try made and could not write down. */
    private void removeForgotten(String slotId, CiJob job) {
        for (NotedRunner noted : noted(job.key().instance(), job.key().projectId())) {
            if (noted.slotId().equals(slotId)) {
                LOG.info("{}: removing runner {} that an interrupted try left", job.key(), noted.runnerId());
                remove(job.key().instance(), noted.runnerId());
            }
        }
    }

    void removeOf(String slotId) {
        RunnerRow runner = jdbi.withExtension(RunnerDao.class, runners -> runners.ofSlot(slotId));
        if (runner == null || runner.removed()) {
            return;
        }
        remove(runner.instance(), runner.runnerId());
        jdbi.useExtension(RunnerDao.class, runners -> runners.setRemoved(slotId, clock.instant()));
    }

    void remove(String instance, long runnerId) {
        try {
            gitlabs.removeRunner(instance, runnerId);
        } catch (GitLabApiException e) {
            throw GitLabErrors.failure("removing runner %d of GitLab %s".formatted(runnerId, instance), e);
        }
    }

    /** The description names the slot, for a list of runners shows no maintenance notes. */
    List<NotedRunner> noted(String instance, long projectId) {
        List<NotedRunner> noted = new ArrayList<>();
        try {
            for (Runner runner : gitlabs.api(instance)
                    .getRunnersApi()
                    .getProjectRunners(projectId, PER_PAGE)
                    .all()) {
                Matcher name = ours.matcher(Objects.requireNonNullElse(runner.getDescription(), ""));
                if (name.matches()) {
                    noted.add(new NotedRunner(runner.getId(), name.group(1)));
                }
            }
        } catch (GitLabApiException e) {
            if (e.getHttpStatus() != GitLabErrors.NOT_FOUND) { // the project is gone, and its runners with it
                throw GitLabErrors.failure(
                        "listing runners of project %d of GitLab %s".formatted(projectId, instance), e);
            }
        }
        return noted;
    }

    Optional<RunnerTokenReply> token(String hostId, RunnerTokenRequest request) {
        String slotId = request.slotId();
        return jdbi.inTransaction(handle -> {
            RunnerDao runners = handle.attach(RunnerDao.class);
            SlotNow slot = runners.slot(slotId);
            if (slot == null || !slot.hostId().equals(hostId)) {
                throw refused(slotId, "it is no slot of host " + hostId);
            }
            if (slot.released() || slot.epoch() != request.epoch() || slot.hostEpoch() != request.epoch()) {
                throw refused(slotId, "it is released, or its epoch %d is over".formatted(request.epoch()));
            }
            RunnerRow runner = runners.ofSlot(slotId);
            byte[] sealed = runners.sealedToken(slotId);
            if (runner == null || sealed == null) {
                return Optional.empty();
            }
            if (!runners.bind(slotId, request.nonce())) {
                throw refused(slotId, "it was fetched already, with another nonce");
            }
            String token = sealer.open(sealed, sealContext(slotId));
            return Optional.of(new RunnerTokenReply(runner.runnerId(), token, runner.instance()));
        });
    }

    private static TokenRefusedException refused(String slotId, String reason) {
        return new TokenRefusedException("the runner token of slot %s is not given: %s".formatted(slotId, reason));
    }

    /** What a slot's runner token is sealed for. */
    private static String sealContext(String slotId) {
        return "runner token of " + slotId;
    }

    private static String doing(String what, CiJob job) {
        return "%s in %s of GitLab %s"
                .formatted(what, job.projectPath(), job.key().instance());
    }
}
