package dev.mayfly.api.start;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.gitlab.JobFacts;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.activities.jobs.Jobs.Project;
import dev.mayfly.api.Failures;
import dev.mayfly.api.loop.Loop;
import dev.mayfly.api.temporal.TaskLag;
import io.temporal.failure.ApplicationFailure;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks GitLab for the pending jobs of the projects that had jobs lately, and of a few others in turn: webhooks are lost,
 * and GitLab disables them. Acts on a job as its webhook would have.
 */
public final class Reconciler implements Loop.Step {

    private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);
    private static final Duration LATELY = Duration.ofHours(6);

    private final Jobs jobs;
    private final GitLabJobs gitlab;
    private final JobIntake intake;
    private final TaskLag lag;
    private final MemberProjects members;
    private final Counter rounds;
    private final Counter found;
    private final Clock clock;
    /** Instances that limit our requests, and until when they asked us to wait. */
    private final Map<String, Instant> quiet = new HashMap<>();

    /**
     * Made by the wiring.
     *
     * @param instances configured names
     * @param metrics gets the rounds and the jobs found by them
     */
    public Reconciler(
            Jobs jobs,
            GitLabJobs gitlab,
            JobIntake intake,
            TaskLag lag,
            List<String> instances,
            MetricRegistry metrics,
            Clock clock) {
        this.jobs = jobs;
        this.gitlab = gitlab;
        this.intake = intake;
        this.lag = lag;
        this.members = new MemberProjects(instances, gitlab);
        this.rounds = metrics.counter("mayfly.reconciler.rounds");
        this.clock = clock;
        this.found = metrics.counter("mayfly.reconciler.jobs.found");
    }

    /**
     * One round over the projects; one that GitLab doesn't answer for is left to the next round, and so are all of an
     * instance that limits our requests, until it said that it takes more.
     */
    @Override
    public boolean run() {
        Set<Project> projects = new LinkedHashSet<>(jobs.activeProjects(LATELY));
        projects.addAll(members.next());
        for (Project project : projects) {
            if (lag.isBehind()) {
                break; // nor are the webhooks that wait then lost ones
            }
            if (clock.instant().isBefore(quiet.getOrDefault(project.instance(), Instant.MIN))) {
                continue;
            }
            try {
                gitlab.pendingJobs(project.instance(), project.projectId()).forEach(this::consider);
            } catch (RuntimeException e) {
                if (e instanceof ApplicationFailure failure && failure.getNextRetryDelay() != null) {
                    quiet.put(project.instance(), clock.instant().plus(failure.getNextRetryDelay()));
                }
                LOG.warn(
                        "GitLab {}: the jobs of {} can't be asked for now: {}",
                        project.instance(),
                        project.projectPath(),
                        Failures.inWords(e));
            }
        }
        rounds.inc();
        return false;
    }

    private void consider(JobFacts facts) {
        if (jobs.find(facts.key()).isEmpty() && intake.consider(facts)) {
            LOG.info(
                    "{}: found by asking GitLab, before any webhook told of it; if that repeats, the project's webhook is"
                            + " missing or broken: run mayfly gitlab connect --project {}",
                    facts.key(),
                    facts.projectPath());
            found.inc();
        }
    }
}
