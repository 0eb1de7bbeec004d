package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.model.Artifact;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiStatus;
import dev.mayfly.testkit.gitlab.model.CiVariable;
import dev.mayfly.testkit.gitlab.model.Hook;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.model.User;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** REST's objects (lib/api/entities). */
final class Entities {
    static final List<String> HOOK_EVENTS = List.of(
            "push_events",
            "tag_push_events",
            "issues_events",
            "confidential_issues_events",
            "merge_requests_events",
            "note_events",
            "confidential_note_events",
            "job_events",
            "pipeline_events",
            "wiki_page_events",
            "deployment_events",
            "feature_flag_events",
            "releases_events",
            "milestone_events",
            "emoji_events",
            "resource_access_token_events");

    private final Instance instance;

    Entities(Instance instance) {
        this.instance = instance;
    }

    Map<String, @Nullable Object> user(User user) {
        return Json.object(
                "id", user.id(),
                "username", user.username(),
                "public_email", null,
                "name", user.name(),
                "state", "active",
                "locked", false,
                "avatar_url", "https://www.gravatar.com/avatar/" + user.id() + "?s=80&d=identicon",
                "web_url", instance.url() + "/" + user.username(),
                "created_at", "2026-01-01T00:00:00.000Z",
                "bio", "",
                "location", "",
                "linkedin", "",
                "twitter", "",
                "skype", "",
                "website_url", "",
                "organization", "");
    }

    Map<String, @Nullable Object> project(Project project) {
        String url = instance.url() + "/" + project.fullPath();
        return Json.object(
                "id",
                project.id(),
                "description",
                "",
                "name",
                project.name(),
                "name_with_namespace",
                project.nameWithNamespace(),
                "path",
                project.path(),
                "path_with_namespace",
                project.fullPath(),
                "created_at",
                Json.iso(project.createdAt()),
                "default_branch",
                project.defaultBranch(),
                "tag_list",
                List.of(),
                "topics",
                List.of(),
                "ssh_url_to_repo",
                "git@" + instance.host() + ":" + project.fullPath() + ".git",
                "http_url_to_repo",
                url + ".git",
                "web_url",
                url,
                "readme_url",
                null,
                "avatar_url",
                null,
                "forks_count",
                0,
                "star_count",
                0,
                "last_activity_at",
                Json.iso(project.createdAt()),
                "namespace",
                Json.object(
                        "id",
                        project.namespaceId(),
                        "name",
                        project.namespace(),
                        "path",
                        project.namespace(),
                        "kind",
                        "group",
                        "full_path",
                        project.namespace(),
                        "parent_id",
                        null,
                        "avatar_url",
                        null,
                        "web_url",
                        instance.url() + "/groups/" + project.namespace()),
                "visibility",
                project.visibility(),
                "archived",
                false,
                "empty_repo",
                false,
                "jobs_enabled",
                true,
                "shared_runners_enabled",
                true,
                "creator_id",
                1,
                "ci_config_path",
                "",
                "permissions",
                Json.object(
                        "project_access",
                        null,
                        "group_access",
                        Json.object("access_level", 50, "notification_level", 3)));
    }

    Map<String, @Nullable Object> commit(Pipeline pipeline) {
        Pipeline.Commit commit = pipeline.commit();
        return Json.object(
                "id", commit.sha(),
                "short_id", commit.sha().substring(0, 8),
                "created_at", Json.iso(commit.at()),
                "parent_ids", List.of(),
                "title", commit.title(),
                "message", commit.message(),
                "author_name", commit.authorName(),
                "author_email", commit.authorEmail(),
                "authored_date", Json.iso(commit.at()),
                "committer_name", commit.authorName(),
                "committer_email", commit.authorEmail(),
                "committed_date", Json.iso(commit.at()),
                "web_url", instance.url() + "/" + pipeline.project().fullPath() + "/-/commit/" + commit.sha());
    }

    Map<String, @Nullable Object> pipelineBasic(Pipeline pipeline) {
        return Json.object(
                "id", pipeline.id(),
                "iid", pipeline.iid(),
                "project_id", pipeline.project().id(),
                "sha", pipeline.cause().sha(),
                "ref", pipeline.cause().ref(),
                "status", pipeline.status().text(),
                "source", pipeline.cause().source(),
                "created_at", Json.iso(pipeline.createdAt()),
                "updated_at", Json.iso(pipeline.updatedAt()),
                "web_url", instance.url() + "/" + pipeline.project().fullPath() + "/-/pipelines/" + pipeline.id(),
                "name", null);
    }

    Map<String, @Nullable Object> pipeline(Pipeline pipeline) {
        Map<String, @Nullable Object> entity = pipelineBasic(pipeline);
        Double duration = Json.seconds(pipeline.startedAt(), pipeline.finishedAt());
        Double queued = Json.seconds(pipeline.createdAt(), pipeline.startedAt());
        entity.put("before_sha", pipeline.cause().beforeSha());
        entity.put("tag", pipeline.cause().tag());
        entity.put("yaml_errors", pipeline.yamlErrors());
        entity.put("user", user(pipeline.cause().user()));
        entity.put("started_at", Json.iso(pipeline.startedAt()));
        entity.put("finished_at", Json.iso(pipeline.finishedAt()));
        entity.put("committed_at", null);
        entity.put("duration", duration == null ? null : Math.round(duration));
        entity.put("queued_duration", queued == null ? null : Math.round(queued));
        entity.put("coverage", null);
        entity.put(
                "detailed_status",
                Json.object(
                        "icon",
                        "status_" + pipeline.status().text(),
                        "text",
                        pipeline.status().text(),
                        "label",
                        pipeline.status().text(),
                        "group",
                        pipeline.status().text(),
                        "tooltip",
                        pipeline.status().text(),
                        "has_details",
                        true,
                        "details_path",
                        "/" + pipeline.project().fullPath() + "/-/pipelines/" + pipeline.id(),
                        "illustration",
                        null,
                        "favicon",
                        ""));
        return entity;
    }

    Map<String, @Nullable Object> job(Build build) {
        Map<String, @Nullable Object> entity = Json.object(
                "id", build.id(),
                "status", build.status().text(),
                "stage", build.seed().stage(),
                "name", build.name(),
                "ref", build.pipeline().cause().ref(),
                "tag", build.pipeline().cause().tag(),
                "coverage", null,
                "allow_failure", build.isAllowedToFail(),
                "created_at", Json.iso(build.createdAt()),
                "started_at", Json.iso(build.startedAt()),
                "finished_at", Json.iso(build.finishedAt()),
                "erased_at", Json.iso(build.erasedAt()),
                "duration", Json.seconds(build.startedAt(), end(build)),
                "queued_duration", queued(build),
                "user", user(build.user()),
                "commit", commit(build.pipeline()),
                "pipeline", pipelineBasic(build.pipeline()),
                "web_url", instance.url() + "/" + build.project().fullPath() + "/-/jobs/" + build.id(),
                "project", Json.object("ci_job_token_scope_enabled", false));
        if (build.status() == CiStatus.FAILED) {
            entity.put("failure_reason", build.failureReason());
        }
        addArtifacts(entity, build);
        entity.put("runner", build.runner() == null ? null : RunnerEntities.basic(build.runner(), instance.now()));
        entity.put(
                "runner_manager",
                build.manager() == null ? null : RunnerEntities.manager(build.manager(), instance.now()));
        entity.put("archived", false);
        entity.put("source", build.pipeline().cause().source());
        entity.put("tag_list", build.tags());
        return entity;
    }

    private static void addArtifacts(Map<String, @Nullable Object> entity, Build build) {
        List<Map<String, @Nullable Object>> artifacts = new ArrayList<>();
        Instant expireAt = null;
        for (Artifact artifact : build.artifacts()) {
            artifacts.add(artifact(artifact.type(), artifact.size(), artifact.filename(), artifact.format()));
            if (artifact.type().equals("archive")) {
                entity.put("artifacts_file", Json.object("filename", artifact.filename(), "size", artifact.size()));
                expireAt = artifact.expireAt();
            }
        }
        if (build.status().isComplete() && Files.exists(build.trace())) {
            artifacts.add(artifact("trace", build.trace().toFile().length(), "job.log", null));
        }
        entity.put("artifacts", artifacts);
        entity.put("artifacts_expire_at", Json.iso(expireAt));
    }

    private static Map<String, @Nullable Object> artifact(
            String type, long size, String filename, @Nullable String format) {
        return Json.object("file_type", type, "size", size, "filename", filename, "file_format", format);
    }

    Map<String, @Nullable Object> hook(Hook hook) {
        Hook.Settings settings = hook.settings();
        Map<String, @Nullable Object> entity = Json.object(
                "id", hook.id(),
                "url", settings.url(),
                "name", settings.name(),
                "description", settings.description(),
                "created_at", Json.iso(hook.createdAt()),
                "alert_status", hook.alertStatus(instance.now()),
                "disabled_until", Json.iso(hook.disabledUntil()),
                "url_variables", List.of(),
                "push_events_branch_filter", "",
                "branch_filter_strategy", "wildcard",
                "custom_webhook_template", null,
                "token_present", settings.token() != null,
                "signing_token_present", settings.signingToken() != null,
                "custom_headers",
                        settings.customHeaders().keySet().stream()
                                .map(key -> Json.object("key", key))
                                .toList(),
                "project_id", hook.projectId(),
                "enable_ssl_verification", settings.sslVerification(),
                "repository_update_events", false);
        HOOK_EVENTS.forEach(event -> entity.put(event, settings.events().contains(event)));
        return entity;
    }

    Map<String, @Nullable Object> variable(CiVariable variable) {
        return Json.object(
                "variable_type", variable.file() ? "file" : "env_var",
                "key", variable.key(),
                "value", variable.hidden() ? null : variable.value(),
                "hidden", variable.hidden(),
                "protected", variable.protectedOnly(),
                "masked", variable.masked(),
                "raw", variable.raw(),
                "environment_scope", variable.scope(),
                "description", null);
    }

    private @Nullable Instant end(Build build) {
        return build.finishedAt() == null && build.startedAt() != null ? instance.now() : build.finishedAt();
    }

    private @Nullable Double queued(Build build) {
        return build.queuedAt() == null
                ? null
                : Json.seconds(build.queuedAt(), Objects.requireNonNullElse(build.startedAt(), instance.now()));
    }
}
