package dev.mayfly.activities.gitlab;

import jakarta.ws.rs.core.Form;
import jakarta.ws.rs.core.Response.Status;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.gitlab4j.api.AbstractApi;
import org.gitlab4j.api.GitLabApi;
import org.gitlab4j.api.GitLabApiException;
import org.gitlab4j.api.models.CreateRunnerParams;
import org.gitlab4j.api.models.Runner;
import org.gitlab4j.api.models.Runner.RunnerType;
import org.jdbi.v3.core.Jdbi;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps GitLab from failing jobs that wait in our queue. It drops a pending job after an hour without an online runner that
 * has its tags ({@code stuck_or_timeout_failure}), and a job gets its runner with its slot only. So one runner for each
 * list of tags that waits in a project is made and announced ({@code POST /runners/verify} counts as contact, and GitLab
 * takes a runner for online for two hours after it); it never asks for a job, so GitLab hands it none. It is exchanged
 * before GitLab takes it for offline, which spares us keeping its token, and removed once nobody waits any more. Whatever
 * we do, GitLab drops a job that was pending for a day.
 */
public final class StandInRunners {

    private static final Logger LOG = LoggerFactory.getLogger(StandInRunners.class);
    private static final int PER_PAGE = 100;

    /** GitLab's hour less several rounds. */
    static final Duration AFTER = Duration.ofMinutes(20);
    /** GitLab's two hours less several rounds. */
    static final Duration EXCHANGED_AFTER = Duration.ofMinutes(80);

    private final Jdbi jdbi;
    private final Clock clock;
    private final GitLabs gitlabs;
    private final String installation;
    private final String description;

    public StandInRunners(Jdbi jdbi, Clock clock, GitLabs gitlabs, String installation) {
        this.jdbi = jdbi;
        this.clock = clock;
        this.gitlabs = gitlabs;
        this.installation = installation;
        this.description = "mayfly %s stand-in".formatted(installation);
    }

    /** A list of tags that jobs of a project wait with. */
    private record Waiting(String instance, long projectId, List<String> tags) {}

    private record StandIn(Waiting of, long runnerId, Instant madeAt) {}

    /** Has a fresh runner online for all that has waited for long, and removes those that nobody needs. */
    public void renew() {
        List<StandIn> standIns = standIns();
        Set<Waiting> waiting = new HashSet<>(waiting());
        Instant old = clock.instant().minus(EXCHANGED_AFTER);
        for (StandIn standIn : standIns) {
            if (!waiting.contains(standIn.of())) {
                attempt(standIn.of(), () -> remove(standIn));
            } else if (standIn.madeAt().isBefore(old)) {
                attempt(standIn.of(), () -> exchange(standIn));
            }
            waiting.remove(standIn.of());
        }
        waiting.forEach(one -> attempt(one, () -> make(one)));
    }

    @FunctionalInterface
    private interface Step {
        void run() throws GitLabApiException;
    }

    private static void attempt(Waiting of, Step step) {
        try {
            step.run();
        } catch (GitLabApiException e) {
            LOG.warn(GitLabErrors.inWords(
                    "keeping jobs with the tags %s in project %d of GitLab %s from being dropped"
                            .formatted(of.tags(), of.projectId(), of.instance()),
                    e));
        }
    }

    private void make(Waiting of) throws GitLabApiException {
        removeForgotten(of);
        long runner = create(of);
        boolean first = jdbi.withHandle(handle -> handle.createUpdate("""
                                insert into stand_in_runner (instance, project_id, tags, runner_id, made_at)
                                values (:instance, :project, :tags, :runner, :now)
                                on conflict (instance, project_id, tags) do nothing""")
                        .bind("instance", of.instance())
                        .bind("project", of.projectId())
                        .bindArray("tags", String.class, of.tags())
                        .bind("runner", runner)
                        .bind("now", clock.instant())
                        .execute()
                > 0);
        if (first) {
            LOG.info(
                    "GitLab {}: runner {} stands in for those of jobs with the tags {} that wait in project {}",
                    of.instance(),
                    runner,
                    of.tags(),
                    of.projectId());
        } else { // another control plane was faster
            gitlabs.removeRunner(of.instance(), runner);
        }
    }

    private void exchange(StandIn old) throws GitLabApiException {
        removeForgotten(old.of());
        long runner = create(old.of());
        boolean first = jdbi.withHandle(handle -> handle.createUpdate("""
                                update stand_in_runner set runner_id = :runner, made_at = :now
                                where instance = :instance and runner_id = :old""")
                        .bind("runner", runner)
                        .bind("now", clock.instant())
                        .bind("instance", old.of().instance())
                        .bind("old", old.runnerId())
                        .execute()
                > 0);
        gitlabs.removeRunner(old.of().instance(), first ? old.runnerId() : runner);
    }

    private void remove(StandIn standIn) throws GitLabApiException {
        gitlabs.removeRunner(standIn.of().instance(), standIn.runnerId());
        jdbi.useHandle(handle -> handle.createUpdate(
                        "delete from stand_in_runner where instance = :instance and runner_id = :runner")
                .bind("instance", standIn.of().instance())
                .bind("runner", standIn.runnerId())
                .execute());
    }

    private long create(Waiting of) throws GitLabApiException {
        GitLabApi api = gitlabs.api(of.instance());
        var created = api.getUserApi()
                .createRunner(new CreateRunnerParams()
                        .withRunnerType(RunnerType.PROJECT_TYPE)
                        .withProjectId(of.projectId())
                        .withDescription(description)
                        .withMaintenanceNote(
                                ("Made by the Mayfly installation %s: while it is online, GitLab does not drop"
                                                + " jobs that wait for a VM. It never takes one.")
                                        .formatted(installation))
                        .withTagList(of.tags())
                        .withRunUntagged(false)
                        .withLocked(true));
        new Contact(api).announce(created.getToken());
        return created.getId();
    }

    /** What a round that was cut off between GitLab and PostgreSQL left behind. */
    private void removeForgotten(Waiting of) throws GitLabApiException {
        Set<Long> known = new HashSet<>();
        standIns().forEach(standIn -> known.add(standIn.runnerId()));
        for (Runner runner : gitlabs.api(of.instance())
                .getRunnersApi()
                .getProjectRunners(of.projectId(), PER_PAGE)
                .all()) {
            if (description.equals(runner.getDescription()) && !known.contains(runner.getId())) {
                gitlabs.removeRunner(of.instance(), runner.getId());
            }
        }
    }

    /** What has waited for long. */
    private List<Waiting> waiting() {
        return jdbi.withHandle(handle -> handle.createQuery("""
                        select distinct job.instance, job.project_id, job.tags
                        from queue join job on job.key = queue.job_key
                        where queue.waiting and job.left_at is null and job.queued_at < :since""")
                .bind("since", clock.instant().minus(AFTER))
                .map((row, context) -> waiting(row))
                .list());
    }

    private static Waiting waiting(ResultSet row) throws SQLException {
        return new Waiting(row.getString("instance"), row.getLong("project_id"), List.of((String[])
                row.getArray("tags").getArray()));
    }

    private List<StandIn> standIns() {
        return jdbi.withHandle(handle -> handle.createQuery("select * from stand_in_runner")
                .map((row, context) -> new StandIn(
                        waiting(row),
                        row.getLong("runner_id"),
                        row.getObject("made_at", OffsetDateTime.class).toInstant()))
                .list());
    }

    /** What gitlab4j lacks. */
    private static final class Contact extends AbstractApi {

        Contact(GitLabApi api) {
            super(api);
        }

        void announce(String token) throws GitLabApiException {
            post(
                    Status.OK,
                    new Form().param("token", token).param("system_id", "mayfly-stand-in"),
                    "runners",
                    "verify");
        }
    }
}
