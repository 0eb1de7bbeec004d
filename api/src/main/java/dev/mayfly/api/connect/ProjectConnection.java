package dev.mayfly.api.connect;

import dev.mayfly.activities.gitlab.GitLabErrors;
import dev.mayfly.activities.gitlab.GitLabJobs;
import jakarta.ws.rs.core.Form;
import java.time.Clock;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.gitlab4j.api.GitLabApi;
import org.gitlab4j.api.GitLabApiException;
import org.gitlab4j.api.models.AccessLevel;
import org.gitlab4j.api.models.Project;
import org.gitlab4j.api.models.ProjectAccess;
import org.jspecify.annotations.Nullable;

/**
 * Ensures that a project's jobs reach us, or no longer do: looks whether the access token may do what the control plane
 * needs there, adds, corrects or removes the project's webhook, and has GitLab test it. May be repeated. Called by the
 * command line only.
 */
public final class ProjectConnection {

    private static final int NOT_FOUND = 404;
    private static final int FORBIDDEN = 403;
    private static final int UNPROCESSABLE = 422;
    private static final int TOO_MANY = 429;
    private static final int EXPIRES_SOON_DAYS = 14;

    private final String instance;
    private final GitLabApi api;
    private final HooksApi hooks;
    private final Hook wanted;
    private final Clock clock;
    private final List<String> done = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();

    /**
     * The webhook that a project should have.
     *
     * @param url where GitLab sends it
     * @param token secret token, null for none
     * @param signingToken {@code whsec_…}, null for none
     */
    public record Hook(
            String url, @Nullable String token, @Nullable String signingToken) {

        @Override
        public String toString() {
            return "Hook[" + url + "]";
        }
    }

    /**
     * What became of it.
     *
     * @param done what was found and done
     * @param problems what is missing, each with its cure; empty if all is well
     */
    public record Report(List<String> done, List<String> problems) {}

    public ProjectConnection(String instance, GitLabApi api, Hook wanted, Clock clock) {
        this.instance = instance;
        this.api = api;
        this.hooks = new HooksApi(api);
        this.wanted = wanted;
        this.clock = clock;
    }

    /** One project. With {@code dryRun} nothing is changed in GitLab, and nothing tested. */
    public Report connect(String path, boolean dryRun) {
        return inProject(path, project -> {
            checkProject(project);
            List<ProjectHook> ours = ours(project);
            if (problems.isEmpty()) {
                ensureHook(project, ours, dryRun);
            }
        });
    }

    /** Whether the project is connected as it should be; what is not is a problem. Changes nothing, tests nothing. */
    public Report check(String path) {
        return inProject(path, project -> {
            checkProject(project);
            List<ProjectHook> ours = ours(project);
            if (ours.isEmpty()) {
                problems.add("%s has no webhook to %s; run mayfly gitlab connect --project %s"
                        .formatted(path, wanted.url(), path));
            }
            for (ProjectHook hook : ours) {
                List<String> deviations = deviations(hook);
                if (deviations.isEmpty()) {
                    done.add("webhook %d is as it should be".formatted(hook.id()));
                } else {
                    problems.add("webhook %d of %s: %s; run mayfly gitlab connect --project %s"
                            .formatted(hook.id(), path, String.join(", ", deviations), path));
                }
            }
        });
    }

    /** Removes the project's webhooks to us; its jobs stay pending from then on unless the reconciler finds them. */
    public Report disconnect(String path, boolean dryRun) {
        return inProject(path, project -> {
            List<ProjectHook> ours = ours(project);
            if (ours.isEmpty()) {
                done.add("%s has no webhook to %s".formatted(path, wanted.url()));
            }
            for (ProjectHook hook : ours) {
                if (!dryRun) {
                    hooks.remove(project.getId(), hook.id());
                }
                done.add("webhook %d %s".formatted(hook.id(), dryRun ? "would be removed" : "removed"));
            }
        });
    }

    /** How the projects that the access token's user maintains are connected, most recently active first. */
    public Report list() {
        try {
            for (Project project : api.getProjectApi().getProjects(GitLabJobs.maintained())) {
                List<ProjectHook> ours = ours(project);
                String state = ours.isEmpty()
                        ? "not connected"
                        : ours.stream()
                                .map(hook -> String.join(", ", deviations(hook)))
                                .map(deviations -> deviations.isEmpty() ? "connected" : deviations)
                                .collect(Collectors.joining("; "));
                done.add("%s %s: %s".formatted(instance, project.getPathWithNamespace(), state));
            }
        } catch (GitLabApiException e) {
            problems.add(GitLabErrors.inWords("listing projects of GitLab " + instance, e));
        }
        return report();
    }

    @FunctionalInterface
    private interface Work {
        void on(Project project) throws GitLabApiException;
    }

    private Report inProject(String path, Work work) {
        try {
            checkToken();
            Optional<Project> project = project(path);
            if (project.isPresent()) {
                work.on(project.get());
            }
        } catch (GitLabApiException e) {
            problems.add(
                    e.getHttpStatus() == FORBIDDEN
                            ? "GitLab %s: the access token's user may not manage webhooks of %s; make it a Maintainer there"
                                    .formatted(instance, path)
                            : GitLabErrors.inWords("connecting %s of GitLab %s".formatted(path, instance), e));
        }
        return report();
    }

    private Report report() {
        return new Report(List.copyOf(done), List.copyOf(problems));
    }

    private List<ProjectHook> ours(Project project) throws GitLabApiException {
        return hooks.list(project.getId()).stream()
                .filter(hook -> hook.url().equals(wanted.url()))
                .toList();
    }

    private void checkToken() throws GitLabApiException {
        HooksApi.Token token = hooks.token();
        if (!token.scopes().contains("api")) {
            problems.add("GitLab %s: the access token has the scopes %s; make one with the scope api"
                    .formatted(instance, token.scopes()));
        }
        if (token.expiresAt() != null) {
            LocalDate end = LocalDate.parse(token.expiresAt());
            if (end.isBefore(LocalDate.now(clock).plusDays(EXPIRES_SOON_DAYS))) {
                problems.add("GitLab %s: the access token expires on %s; make a new one".formatted(instance, end));
            }
        }
        done.add("access token: scopes %s%s"
                .formatted(token.scopes(), token.expiresAt() == null ? "" : ", good until " + token.expiresAt()));
    }

    private Optional<Project> project(String path) throws GitLabApiException {
        try {
            return Optional.of(api.getProjectApi().getProject(path));
        } catch (GitLabApiException e) {
            if (e.getHttpStatus() != NOT_FOUND) {
                throw e;
            }
            problems.add(("GitLab %s shows no project %s to the access token; correct --project, or make the token's"
                            + " user a Maintainer there")
                    .formatted(instance, path));
            return Optional.empty();
        }
    }

    private void checkProject(Project project) {
        Optional<AccessLevel> role = role(project);
        String path = project.getPathWithNamespace();
        if (role.isPresent() && role.get().toValue() < AccessLevel.MAINTAINER.toValue()) {
            problems.add("GitLab %s: the access token's user is %s of %s; make it a Maintainer: runners are made by it"
                    .formatted(instance, role.get(), path));
        }
        if (Boolean.FALSE.equals(project.getJobsEnabled())) {
            problems.add("GitLab %s: CI/CD is switched off in %s; switch it on in the project's settings"
                    .formatted(instance, path));
        }
        done.add("project %s: number %d, role %s"
                .formatted(
                        path, project.getId(), role.map(AccessLevel::toString).orElse("not told")));
    }

    /** The higher one of the role in the project and in its group; empty if GitLab tells neither, as to administrators. */
    private static Optional<AccessLevel> role(Project project) {
        if (project.getPermissions() == null) {
            return Optional.empty();
        }
        return Stream.of(
                        project.getPermissions().getProjectAccess(),
                        project.getPermissions().getGroupAccess())
                .filter(Objects::nonNull)
                .map(ProjectAccess::getAccessLevel)
                .filter(Objects::nonNull)
                .max((a, b) -> Integer.compare(a.toValue(), b.toValue()));
    }

    private void ensureHook(Project project, List<ProjectHook> ours, boolean dryRun) throws GitLabApiException {
        if (ours.size() > 1) {
            problems.add("%s has %d webhooks to %s, so every job event comes more than once; remove all but number %d"
                    .formatted(
                            project.getPathWithNamespace(),
                            ours.size(),
                            wanted.url(),
                            ours.get(0).id()));
        }
        if (dryRun) {
            done.add(plan(ours));
            return;
        }
        ProjectHook hook = ours.isEmpty()
                ? hooks.add(project.getId(), form())
                : hooks.change(project.getId(), ours.get(0).id(), form());
        done.add(ours.isEmpty() ? "webhook %d added: %s".formatted(hook.id(), wanted.url()) : change(ours.get(0)));
        checkSigned(hook);
        test(project, hook);
    }

    private String plan(List<ProjectHook> ours) {
        if (ours.isEmpty()) {
            return "would add a webhook to " + wanted.url();
        }
        List<String> deviations = deviations(ours.get(0));
        return deviations.isEmpty()
                ? "webhook %d is as it should be; would set its secrets again"
                        .formatted(ours.get(0).id())
                : "would correct webhook %d: %s".formatted(ours.get(0).id(), String.join(", ", deviations));
    }

    /** GitLab doesn't tell secrets, so they are set again each time. */
    private String change(ProjectHook before) {
        List<String> deviations = deviations(before);
        return deviations.isEmpty()
                ? "webhook %d was as it should be; its secrets were set again".formatted(before.id())
                : "webhook %d corrected: %s".formatted(before.id(), String.join(", ", deviations));
    }

    private List<String> deviations(ProjectHook hook) {
        return hook.deviations(wanted.token() != null, wanted.signingToken() != null);
    }

    private Form form() {
        Form form = new Form()
                .param("url", wanted.url())
                .param("job_events", "true")
                .param("pipeline_events", "true")
                .param("push_events", "false")
                .param("enable_ssl_verification", "true");
        if (wanted.token() != null) {
            form.param("token", wanted.token());
        }
        if (wanted.signingToken() != null) {
            form.param("signing_token", wanted.signingToken());
        }
        return form;
    }

    /** GitLab before 19 takes a signing token in silence and forgets it. */
    private void checkSigned(ProjectHook hook) {
        if (wanted.signingToken() == null || Boolean.TRUE.equals(hook.signingTokenPresent())) {
            return;
        }
        if (wanted.token() == null) {
            problems.add("GitLab %s is older than 19 and can't sign webhooks; configure webhookToken for it"
                    .formatted(instance));
        } else {
            done.add("this GitLab is older than 19 and can't sign webhooks; the secret token authenticates them");
        }
    }

    private void test(Project project, ProjectHook hook) throws GitLabApiException {
        try {
            hooks.test(project.getId(), hook.id());
            done.add("GitLab delivered a job event, and it was taken");
        } catch (GitLabApiException e) {
            String said = String.valueOf(e.getMessage());
            if (e.getHttpStatus() == TOO_MANY || said.contains("Ensure the project has")) {
                done.add("not tested: "
                        + (e.getHttpStatus() == TOO_MANY ? "GitLab limits tests" : "the project has no job yet"));
            } else if (e.getHttpStatus() == UNPROCESSABLE) {
                problems.add(
                        ("GitLab %s could not deliver a job event to %s: %s; check that GitLab reaches this address,"
                                        + " trusts its certificate, and may send to local networks if it is on one")
                                .formatted(instance, wanted.url(), said));
            } else {
                throw e;
            }
        }
    }
}
