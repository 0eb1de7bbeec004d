package dev.mayfly.api.ledger;

import dev.mayfly.activities.capacity.RunnerView;
import dev.mayfly.activities.capacity.Slots;
import dev.mayfly.activities.gitlab.GitLabJobs;
import dev.mayfly.activities.gitlab.GitLabJobs.NotedRunner;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.activities.ledger.Difference;
import dev.mayfly.activities.ledger.Ledger;
import dev.mayfly.api.Failures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Where the ledger differs from what there is: the tables themselves, the hosts' inventories, the runners in GitLab.
 * Changes nothing: putting right is the sweeper's. REST looks anew each time, {@link DriftWatch} now and then.
 */
public final class Drift {

    private static final Duration PROJECTS_OF = Duration.ofDays(30);

    private final Ledger ledger;
    private final Slots slots;
    private final Jobs jobs;
    private final GitLabJobs gitlab;

    public Drift(Ledger ledger, Slots slots, Jobs jobs, GitLabJobs gitlab) {
        this.ledger = ledger;
        this.slots = slots;
        this.jobs = jobs;
        this.gitlab = gitlab;
    }

    /**
     * What one look found.
     *
     * @param unknown what could not be asked, and why
     */
    public record Look(List<Difference> differences, List<String> unknown) {

        public Look {
            differences = List.copyOf(differences);
            unknown = List.copyOf(unknown);
        }
    }

    /** Compares everything now. */
    public Look look() {
        List<Difference> found = new ArrayList<>(ledger.unlikeTables());
        found.addAll(ledger.unlikeInventories());
        List<String> unknown = new ArrayList<>();
        // The ledger is read before GitLab and after it: what is made or removed meanwhile is no difference.
        List<RunnerView> before = slots.runners();
        Map<Jobs.Project, List<NotedRunner>> there = new LinkedHashMap<>();
        for (Jobs.Project project : jobs.activeProjects(PROJECTS_OF)) {
            try {
                there.put(project, gitlab.notedRunners(project.instance(), project.projectId()));
            } catch (RuntimeException e) {
                unknown.add("runners of %s in GitLab %s: %s"
                        .formatted(project.projectPath(), project.instance(), Failures.inWords(e)));
            }
        }
        List<RunnerView> after = slots.runners();
        there.forEach((project, runners) ->
                found.addAll(runnersOf(project, byId(before, project), runners, byId(after, project))));
        return new Look(found, unknown);
    }

    /** What only GitLab has, and what it lacks; not what was made or removed between the two readings of the ledger. */
    static List<Difference> runnersOf(
            Jobs.Project project, Map<Long, RunnerView> before, List<NotedRunner> there, Map<Long, RunnerView> after) {
        String source = "GitLab " + project.instance();
        Set<Long> ids = there.stream().map(NotedRunner::runnerId).collect(Collectors.toSet());
        List<Difference> differences = new ArrayList<>();
        there.stream()
                .filter(runner -> !before.containsKey(runner.runnerId()) && !after.containsKey(runner.runnerId()))
                .forEach(runner -> differences.add(new Difference(
                        source,
                        "runner %d of slot %s is there, and the ledger has none"
                                .formatted(runner.runnerId(), runner.slotId()))));
        before.values().stream()
                .filter(runner -> after.containsKey(runner.runnerId()) && !ids.contains(runner.runnerId()))
                .forEach(runner -> differences.add(new Difference(
                        source,
                        "runner %d of slot %s is in the ledger, and not there"
                                .formatted(runner.runnerId(), runner.slotId()))));
        return differences;
    }

    private static Map<Long, RunnerView> byId(List<RunnerView> runners, Jobs.Project project) {
        return runners.stream()
                .filter(runner ->
                        runner.instance().equals(project.instance()) && runner.projectId() == project.projectId())
                .collect(Collectors.toMap(RunnerView::runnerId, Function.identity()));
    }
}
