package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.model.CiVariable;
import dev.mayfly.testkit.gitlab.model.Hook;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Project;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** REST's objects about projects, their hooks and variables (lib/api/entities). */
final class ProjectEntities {
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

    ProjectEntities(Instance instance) {
        this.instance = instance;
    }

    Map<String, @Nullable Object> project(Project project) {
        String url = instance.url() + "/" + project.fullPath();
        Map<String, @Nullable Object> group = Json.object("access_level", 50, "notification_level", 3);
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
                namespace(project),
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
                Json.object("project_access", null, "group_access", group));
    }

    private Map<String, @Nullable Object> namespace(Project project) {
        return Json.object(
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
                instance.url() + "/groups/" + project.namespace());
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
}
