package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.model.Runner;
import dev.mayfly.testkit.gitlab.model.RunnerManager;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** REST's objects about runners (lib/api/entities/ci/runner*.rb). */
final class RunnerEntities {
    private RunnerEntities() {}

    static Map<String, @Nullable Object> basic(Runner runner, Instant now) {
        String status = runner.status(now);
        RunnerManager manager = lastManager(runner);
        return Json.object(
                "id", runner.id(),
                "description", runner.settings().description(),
                "ip_address", manager == null ? null : manager.ipAddress(),
                "active", !runner.settings().paused(),
                "paused", runner.settings().paused(),
                "is_shared", runner.isShared(),
                "runner_type", runner.type(),
                "name", manager == null ? null : manager.info("name"),
                "online", status.equals("online"),
                "created_at", Json.iso(runner.createdAt()),
                "created_by", null,
                "status", status,
                "job_execution_status", "idle");
    }

    static Map<String, @Nullable Object> details(Runner runner, Instance instance) {
        Map<String, @Nullable Object> entity = basic(runner, instance.now());
        RunnerManager manager = lastManager(runner);
        entity.put("tag_list", runner.settings().tags());
        entity.put("run_untagged", runner.settings().runUntagged());
        entity.put("locked", runner.settings().locked());
        entity.put("maximum_timeout", runner.settings().maximumTimeout());
        entity.put("access_level", runner.settings().accessLevel());
        entity.put("version", manager == null ? null : manager.info("version"));
        entity.put("revision", manager == null ? null : manager.info("revision"));
        entity.put("platform", manager == null ? null : manager.info("platform"));
        entity.put("architecture", manager == null ? null : manager.info("architecture"));
        entity.put("contacted_at", Json.iso(runner.contactedAt()));
        entity.put("maintenance_note", runner.settings().maintenanceNote());
        entity.put(
                "projects",
                instance.projects().stream()
                        .filter(project -> runner.projects().contains(project.id()))
                        .map(RunnerEntities::project)
                        .toList());
        entity.put("groups", List.of());
        return entity;
    }

    static Map<String, @Nullable Object> manager(RunnerManager manager, Instant now) {
        return Json.object(
                "id", manager.id(),
                "system_id", manager.systemId(),
                "version", manager.info("version"),
                "revision", manager.info("revision"),
                "platform", manager.info("platform"),
                "architecture", manager.info("architecture"),
                "created_at", Json.iso(manager.createdAt()),
                "contacted_at", Json.iso(manager.contactedAt()),
                "ip_address", manager.ipAddress(),
                "status", manager.contactedAt().plusSeconds(7200).isAfter(now) ? "online" : "offline",
                "job_execution_status", "idle");
    }

    private static Map<String, @Nullable Object> project(Project project) {
        return Json.object(
                "id", project.id(),
                "description", "",
                "name", project.name(),
                "name_with_namespace", project.nameWithNamespace(),
                "path", project.path(),
                "path_with_namespace", project.fullPath(),
                "created_at", Json.iso(project.createdAt()));
    }

    private static @Nullable RunnerManager lastManager(Runner runner) {
        List<RunnerManager> managers = runner.managers();
        return managers.isEmpty() ? null : managers.get(managers.size() - 1);
    }
}
