package dev.mayfly.api.start;

import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.gitlab.JobFacts;
import dev.mayfly.activities.jobs.JobView;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.api.Failures;
import dev.mayfly.api.loop.Loop;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks GitLab for the pending jobs of the projects that had jobs lately: webhooks are lost, and GitLab disables them. Acts
 * on a job as its webhook would have.
 */
public final class Reconciler implements Loop.Step {

    private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);
    private static final Duration LATELY = Duration.ofHours(6);

    private final Jobs jobs;
    private final GitLabJobs gitlab;
    private final JobIntake intake;

    public Reconciler(Jobs jobs, GitLabJobs gitlab, JobIntake intake) {
        this.jobs = jobs;
        this.gitlab = gitlab;
        this.intake = intake;
    }

    /** One round over the projects; one that GitLab doesn't answer for is left to the next round. */
    @Override
    public boolean run() {
        for (Jobs.Project project : jobs.activeProjects(LATELY)) {
            try {
                gitlab.activeJobs(project.instance(), project.projectId()).forEach(this::consider);
            } catch (RuntimeException e) {
                LOG.warn(
                        "GitLab {}: the jobs of {} can't be asked for now: {}",
                        project.instance(),
                        project.projectPath(),
                        Failures.inWords(e));
            }
        }
        return false;
    }

    private void consider(JobFacts facts) {
        if (!facts.status().equals("pending")) {
            return;
        }
        Optional<JobView> known = jobs.find(facts.key());
        if (known.isEmpty()) {
            intake.consider(facts);
        }
    }
}
