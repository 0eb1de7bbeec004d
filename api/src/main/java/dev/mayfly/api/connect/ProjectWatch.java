package dev.mayfly.api.connect;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.mayfly.activities.gitlab.GitLabErrors;
import dev.mayfly.activities.gitlab.GitLabs;
import dev.mayfly.activities.jobs.Jobs;
import dev.mayfly.activities.jobs.Jobs.Project;
import dev.mayfly.api.config.GitLabConfig;
import dev.mayfly.api.loop.Loop;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.gitlab4j.api.GitLabApi;
import org.gitlab4j.api.GitLabApiException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the projects whose jobs came here lately: whether GitLab still sends their webhooks, which it switches off after
 * failed deliveries, and how many runners they have, of which GitLab allows so many. What it saw last is kept in memory:
 * each control plane looks for itself.
 */
public final class ProjectWatch implements Loop.Step {

    private static final Logger LOG = LoggerFactory.getLogger(ProjectWatch.class);
    private static final Duration LATELY = Duration.ofDays(7);
    private static final double NEAR = 0.8;

    private final Jobs jobs;
    private final GitLabs gitlabs;
    private final Map<String, GitLabConfig> instances;
    private final Clock clock;
    private volatile List<Seen> seen = List.of();

    /**
     * A project as it was seen.
     *
     * @param webhook {@code executable}, {@code temporarily_disabled} or {@code disabled} as GitLab says it, or
     *     {@code missing}
     * @param runners all that the project has in GitLab, ours and others
     * @param runnerLimit how many GitLab allows, as configured; 0 for any number
     * @param problems what is wrong or will be, each a sentence with its cure
     */
    public record Seen(
            String instance,
            long projectId,
            String projectPath,
            String webhook,
            int runners,
            int runnerLimit,
            List<String> problems,
            Instant seenAt) {

        public Seen {
            problems = List.copyOf(problems);
        }
    }

    /** Made by the wiring; {@code metrics} gets what is wrong. */
    public ProjectWatch(Jobs jobs, GitLabs gitlabs, List<GitLabConfig> instances, Clock clock, MetricRegistry metrics) {
        this.jobs = jobs;
        this.gitlabs = gitlabs;
        this.instances = instances.stream().collect(Collectors.toMap(GitLabConfig::name, Function.identity()));
        this.clock = clock;
        metrics.register("mayfly.projects.webhook.off", (Gauge<Long>) () -> seen.stream()
                .filter(one -> !one.webhook().equals(ProjectHook.ON))
                .count());
        metrics.register("mayfly.projects.runner.limit.used", (Gauge<Double>) () -> seen.stream()
                .mapToDouble(one -> share(one.runners(), one.runnerLimit()))
                .max()
                .orElse(0));
    }

    /** What the last round saw, most trouble first. */
    public List<Seen> seen() {
        return seen;
    }

    /** One round; a project that GitLab doesn't answer for is left out until the next. */
    @Override
    public boolean run() {
        List<Seen> now = new ArrayList<>();
        for (Project project : jobs.activeProjects(LATELY)) {
            GitLabConfig instance = instances.get(project.instance());
            if (instance != null) {
                look(project, instance).ifPresent(now::add);
            }
        }
        now.sort((a, b) -> Integer.compare(b.problems().size(), a.problems().size()));
        seen = List.copyOf(now);
        return false;
    }

    private Optional<Seen> look(Project project, GitLabConfig instance) {
        GitLabApi api = gitlabs.api(instance.name());
        try {
            List<String> problems = new ArrayList<>();
            String webhook = webhook(new HooksApi(api), project, instance, problems);
            int runners = api.getRunnersApi()
                    .getProjectRunners(project.projectId(), 1)
                    .getTotalItems();
            if (share(runners, instance.runnerLimit()) >= NEAR) {
                problems.add(
                        ("it has %d runners and GitLab allows %d that were made or used within a week; remove those that"
                                        + " nobody needs, or have an administrator raise ci_registered_project_runners")
                                .formatted(runners, instance.runnerLimit()));
            }
            tell(project, problems);
            return Optional.of(new Seen(
                    project.instance(),
                    project.projectId(),
                    project.projectPath(),
                    webhook,
                    runners,
                    instance.runnerLimit(),
                    problems,
                    clock.instant()));
        } catch (GitLabApiException e) {
            LOG.warn(GitLabErrors.inWords(
                    "looking at %s of GitLab %s".formatted(project.projectPath(), instance.name()), e));
            return Optional.empty();
        }
    }

    private static double share(int runners, int limit) {
        return limit == 0 ? 0 : (double) runners / limit;
    }

    /** To the log, once for as long as they last. */
    private void tell(Project project, List<String> problems) {
        boolean told = seen.stream()
                .anyMatch(one -> one.projectId() == project.projectId()
                        && one.instance().equals(project.instance())
                        && one.problems().equals(problems));
        if (!told) {
            problems.forEach(
                    problem -> LOG.warn("GitLab {}: {}: {}", project.instance(), project.projectPath(), problem));
        }
    }

    private static String webhook(HooksApi hooks, Project project, GitLabConfig instance, List<String> problems)
            throws GitLabApiException {
        List<ProjectHook> ours = hooks.list(project.projectId()).stream()
                .filter(hook -> hook.url().endsWith("/webhooks/gitlab/" + instance.name()))
                .toList();
        if (ours.isEmpty()) {
            problems.add(
                    "it has no webhook to this control plane, so its jobs start late; run mayfly gitlab connect --project "
                            + project.projectPath());
            return "missing";
        }
        Optional<ProjectHook> off = ours.stream().filter(hook -> !hook.isOn()).findFirst();
        if (off.isEmpty()) {
            return ProjectHook.ON;
        }
        ProjectHook hook = off.get();
        String status = String.valueOf(hook.alertStatus());
        if (instance.reenableWebhooks() && isBack(hooks, project, hook)) {
            LOG.info(
                    "GitLab {}: webhook {} of {} was {}; a test was delivered, and it is on again",
                    instance.name(),
                    hook.id(),
                    project.projectPath(),
                    status);
            return ProjectHook.ON;
        }
        problems.add(
                ("GitLab has switched webhook %d off after failed deliveries (%s), so its jobs start late; see that GitLab"
                                + " reaches this control plane, then run mayfly gitlab connect --project %s")
                        .formatted(hook.id(), status, project.projectPath()));
        return status;
    }

    /** A test that is delivered switches a webhook on; one that is not tells why, to the log. */
    private static boolean isBack(HooksApi hooks, Project project, ProjectHook hook) {
        try {
            hooks.test(project.projectId(), hook.id());
            return true;
        } catch (GitLabApiException e) {
            LOG.warn(GitLabErrors.inWords("testing webhook %d of %s".formatted(hook.id(), project.projectPath()), e));
            return false;
        }
    }
}
