package dev.mayfly.api.sweep;

import dev.mayfly.activities.capacity.RunnerView;
import dev.mayfly.activities.capacity.SlotView;
import dev.mayfly.activities.capacity.Slots;
import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.gitlab.GitLabJobs.NotedRunner;
import dev.mayfly.activities.jobs.Jobs;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A runner of ours in GitLab whose slot is gone. Ours is only what carries this installation's note. */
final class RunnersWithoutSlot implements Rule {

    private static final Duration PROJECTS_OF = Duration.ofDays(30);

    private final Slots slots;
    private final Jobs jobs;
    private final GitLabJobs gitlab;

    RunnersWithoutSlot(Slots slots, Jobs jobs, GitLabJobs gitlab) {
        this.slots = slots;
        this.jobs = jobs;
        this.gitlab = gitlab;
    }

    /** GitLab is read before PostgreSQL: a runner made in between then has its slot already. */
    @Override
    public List<Orphan> find() {
        List<Orphan> orphans = new ArrayList<>();
        record Found(Jobs.Project project, NotedRunner runner) {}
        List<Found> inGitLab = new ArrayList<>();
        for (Jobs.Project project : jobs.activeProjects(PROJECTS_OF)) {
            for (NotedRunner runner : gitlab.notedRunners(project.instance(), project.projectId())) {
                inGitLab.add(new Found(project, runner));
            }
        }
        Set<String> known = new HashSet<>();
        slots.live().stream().map(SlotView::slotId).forEach(known::add);
        for (RunnerView runner : slots.runners()) {
            known.add(runner.slotId());
            Instant released = runner.slotReleasedAt();
            if (released != null) {
                orphans.add(new Orphan(
                        "runner of " + runner.slotId(),
                        "runner {} of GitLab {}: its slot {} is gone; removing it",
                        List.of(runner.runnerId(), runner.instance(), runner.slotId()),
                        released,
                        true,
                        () -> gitlab.removeRunner(runner.slotId())));
            }
        }
        for (Found found : inGitLab) {
            if (!known.contains(found.runner().slotId())) {
                orphans.add(unknown(found.project().instance(), found.runner()));
            }
        }
        return orphans;
    }

    private Orphan unknown(String instance, NotedRunner runner) {
        return new Orphan(
                "runner %s %d".formatted(instance, runner.runnerId()),
                "runner {} of GitLab {}: no slot {} is known; removing it",
                List.of(runner.runnerId(), instance, runner.slotId()),
                Instant.EPOCH,
                true,
                () -> gitlab.removeRunner(instance, runner.runnerId()));
    }
}
