package dev.mayfly.testkit.gitlab.webhook;

import dev.mayfly.testkit.gitlab.ci.JobSeed;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.model.Artifact;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiVariable;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.model.Runner;
import dev.mayfly.testkit.gitlab.model.User;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Bodies of job and pipeline events (lib/gitlab/data_builder/build.rb and pipeline.rb). */
final class HookPayloads {
    private final Instance instance;

    HookPayloads(Instance instance) {
        this.instance = instance;
    }

    Map<String, @Nullable Object> build(Build build) {
        Pipeline pipeline = build.pipeline();
        Project project = build.project();
        Runner runner = build.runner();
        Map<String, @Nullable Object> body = Json.object(
                "object_kind", "build",
                "ref", pipeline.cause().ref(),
                "tag", pipeline.cause().tag(),
                "before_sha", pipeline.cause().beforeSha(),
                "sha", pipeline.cause().sha(),
                "retries_count", build.retriesCount(),
                "build_id", build.id(),
                "build_name", build.name(),
                "build_stage", build.seed().stage(),
                "build_status", build.status().text(),
                "build_created_at", Json.hookDate(build.createdAt()),
                "build_started_at", Json.hookDate(build.startedAt()),
                "build_finished_at", Json.hookDate(build.finishedAt()),
                "build_created_at_iso", Json.iso(build.createdAt()),
                "build_started_at_iso", Json.iso(build.startedAt()),
                "build_finished_at_iso", Json.iso(build.finishedAt()),
                "build_duration", Json.seconds(build.startedAt(), ended(build)),
                "build_queued_duration", queued(build),
                "build_allow_failure", build.isAllowedToFail(),
                // Never null, and so no sign of a failure.
                "build_failure_reason", Objects.requireNonNullElse(build.failureReason(), "unknown_failure"),
                "pipeline_id", pipeline.id(),
                "runner", runner == null ? null : runner(runner),
                "project_id", project.id(),
                "project_name", project.nameWithNamespace(),
                "user", user(build.user()),
                "commit", commit(pipeline),
                "repository", repository(project),
                "project", project(project),
                "environment", environment(build));
        return body;
    }

    Map<String, @Nullable Object> pipeline(Pipeline pipeline) {
        List<Map<String, @Nullable Object>> builds = new ArrayList<>();
        pipeline.latestBuilds().forEach(build -> builds.add(pipelineBuild(build)));
        return Json.object(
                "object_kind", "pipeline",
                "object_attributes", attributes(pipeline),
                "merge_request", null,
                "user", user(pipeline.cause().user()),
                "project", project(pipeline.project()),
                "commit",
                        Json.object(
                                "id", pipeline.commit().sha(),
                                "message", pipeline.commit().message(),
                                "title", pipeline.commit().title(),
                                "timestamp",
                                        Objects.requireNonNull(
                                                Json.iso(pipeline.commit().at())),
                                "url",
                                        instance.url() + "/"
                                                + pipeline.project().fullPath() + "/-/commit/"
                                                + pipeline.commit().sha(),
                                "author",
                                        Json.object(
                                                "name",
                                                pipeline.commit().authorName(),
                                                "email",
                                                pipeline.commit().authorEmail())),
                "builds", builds);
    }

    private Map<String, @Nullable Object> attributes(Pipeline pipeline) {
        Pipeline.Cause cause = pipeline.cause();
        List<Map<String, @Nullable Object>> variables = new ArrayList<>();
        for (CiVariable variable : cause.variables()) {
            variables.add(Json.object("key", variable.key(), "value", variable.value()));
        }
        return Json.object(
                "id", pipeline.id(),
                "iid", pipeline.iid(),
                "name", null,
                "ref", cause.ref(),
                "tag", cause.tag(),
                "sha", cause.sha(),
                "before_sha", cause.beforeSha(),
                "source", cause.source(),
                "status", pipeline.status().text(),
                "detailed_status", detailed(pipeline),
                "stages", pipeline.stages(),
                "created_at", Json.hookDate(pipeline.createdAt()),
                "finished_at", Json.hookDate(pipeline.finishedAt()),
                "duration", whole(Json.seconds(pipeline.startedAt(), pipeline.finishedAt())),
                "queued_duration", whole(Json.seconds(pipeline.createdAt(), pipeline.startedAt())),
                "protected_ref", cause.isProtected(),
                "variables", variables,
                "url", instance.url() + "/" + pipeline.project().fullPath() + "/-/pipelines/" + pipeline.id());
    }

    private static String detailed(Pipeline pipeline) {
        return switch (pipeline.status()) {
            case SUCCESS -> "passed";
            case MANUAL -> "blocked";
            default -> pipeline.status().text();
        };
    }

    private Map<String, @Nullable Object> pipelineBuild(Build build) {
        Runner runner = build.runner();
        Artifact archive = build.artifacts().stream()
                .filter(artifact -> artifact.type().equals("archive"))
                .findFirst()
                .orElse(null);
        return Json.object(
                "id", build.id(),
                "stage", build.seed().stage(),
                "name", build.name(),
                "status", build.status().text(),
                "created_at", Json.hookDate(build.createdAt()),
                "started_at", Json.hookDate(build.startedAt()),
                "finished_at", Json.hookDate(build.finishedAt()),
                "duration", Json.seconds(build.startedAt(), ended(build)),
                "queued_duration", queued(build),
                "failure_reason", build.failureReason(),
                "when", build.when(),
                "manual", build.seed().when().equals("manual"),
                "allow_failure", build.isAllowedToFail(),
                "user", user(build.user()),
                "runner", runner == null ? null : runner(runner),
                "artifacts_file",
                        Json.object(
                                "filename",
                                archive == null ? null : archive.filename(),
                                "size",
                                archive == null ? null : archive.size()),
                "environment", environment(build));
    }

    private static Map<String, @Nullable Object> runner(Runner runner) {
        return Json.object(
                "id", runner.id(),
                "description", Objects.requireNonNullElse(runner.settings().description(), ""),
                "runner_type", runner.type(),
                "active", !runner.settings().paused(),
                "is_shared", runner.isShared(),
                "tags", runner.settings().tags());
    }

    private static Map<String, @Nullable Object> user(User user) {
        return Json.object(
                "id", user.id(),
                "name", user.name(),
                "username", user.username(),
                "avatar_url", "https://www.gravatar.com/avatar/" + user.id() + "?s=80&d=identicon",
                "email", "[REDACTED]");
    }

    /** Not a commit's id but the pipeline's: GitLab really sends this. */
    private static Map<String, @Nullable Object> commit(Pipeline pipeline) {
        return Json.object(
                "id", pipeline.id(),
                "name", null,
                "sha", pipeline.commit().sha(),
                "message", pipeline.commit().message(),
                "author_name", pipeline.commit().authorName(),
                "author_email", pipeline.commit().authorEmail(),
                "author_url", "mailto:" + pipeline.commit().authorEmail(),
                "status", pipeline.status().text(),
                "duration", whole(Json.seconds(pipeline.startedAt(), pipeline.finishedAt())),
                "started_at", Json.hookDate(pipeline.startedAt()),
                "finished_at", Json.hookDate(pipeline.finishedAt()),
                "started_at_iso", Json.iso(pipeline.startedAt()),
                "finished_at_iso", Json.iso(pipeline.finishedAt()));
    }

    private Map<String, @Nullable Object> repository(Project project) {
        String url = instance.url() + "/" + project.fullPath();
        return Json.object(
                "name", project.name(),
                "url", sshUrl(project),
                "description", "",
                "homepage", url,
                "git_http_url", url + ".git",
                "git_ssh_url", sshUrl(project),
                "visibility_level", project.visibilityLevel());
    }

    private Map<String, @Nullable Object> project(Project project) {
        String url = instance.url() + "/" + project.fullPath();
        return Json.object(
                "id", project.id(),
                "name", project.name(),
                "description", "",
                "web_url", url,
                "avatar_url", null,
                "git_ssh_url", sshUrl(project),
                "git_http_url", url + ".git",
                "namespace", project.namespace(),
                "visibility_level", project.visibilityLevel(),
                "path_with_namespace", project.fullPath(),
                "default_branch", project.defaultBranch(),
                "ci_config_path", "");
    }

    private String sshUrl(Project project) {
        return "git@" + instance.host() + ":" + project.fullPath() + ".git";
    }

    private static @Nullable Map<String, @Nullable Object> environment(Build build) {
        JobSeed.Environment environment = build.seed().environment();
        return environment == null
                ? null
                : Json.object(
                        "name",
                        environment.name(),
                        "action",
                        environment.action(),
                        "deployment_tier",
                        environment.tier());
    }

    private java.time.@Nullable Instant ended(Build build) {
        return build.finishedAt() != null ? build.finishedAt() : build.startedAt() == null ? null : instance.now();
    }

    private @Nullable Double queued(Build build) {
        if (build.queuedAt() == null) {
            return null;
        }
        return Json.seconds(build.queuedAt(), build.startedAt() != null ? build.startedAt() : instance.now());
    }

    private static @Nullable Long whole(@Nullable Double seconds) {
        return seconds == null ? null : Math.round(seconds);
    }
}
