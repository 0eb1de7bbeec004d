package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.admin.Switches;
import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.AccessToken;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.model.Runner;
import dev.mayfly.testkit.gitlab.model.RunnerSettings;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** {@code /user/runners}, {@code /runners} and {@code /projects/:id/runners}. */
public final class RunnersApi {
    private static final List<String> TYPES = List.of("instance_type", "group_type", "project_type");

    private final Instance instance;
    private final Switches switches;
    private final Authentication authentication;

    public RunnersApi(Instance instance, Switches switches, Authentication authentication) {
        this.instance = instance;
        this.switches = switches;
        this.authentication = authentication;
    }

    public void routes(Router router) {
        router.rest("POST", "/api/v4/user/runners", this::create);
        router.rest("GET", "/api/v4/runners", call -> list(call, ofAllProjects(authentication.reader(call))));
        router.rest("GET", "/api/v4/runners/all", call -> list(call, ofAllProjects(authentication.reader(call))));
        router.rest("GET", "/api/v4/projects/:project/runners", this::listOfProject);
        router.rest("GET", "/api/v4/runners/:runner", call -> {
            authentication.require(call, "api", "read_api", "manage_runner");
            return Reply.json(200, RunnerEntities.details(runner(call), instance));
        });
        router.rest("PUT", "/api/v4/runners/:runner", this::update);
        router.rest("DELETE", "/api/v4/runners/:runner", this::delete);
        router.rest("GET", "/api/v4/runners/:runner/jobs", this::jobs);
        router.rest("GET", "/api/v4/runners/:runner/managers", call -> {
            authentication.reader(call);
            return Reply.json(
                    200,
                    runner(call).managers().stream()
                            .map(manager -> RunnerEntities.manager(manager, instance.now()))
                            .toList());
        });
    }

    private Reply create(HttpCall call) {
        AccessToken token = authentication.require(call, "api", "create_runner");
        String type = call.required("runner_type");
        if (!TYPES.contains(type)) {
            throw ApiException.parameter("runner_type does not have a valid value");
        }
        Set<Long> projects = type.equals("project_type") ? Set.of(ownedProject(call, token)) : Set.of();
        RunnerSettings settings =
                settings(call, new RunnerSettings(null, null, List.of(), false, false, true, "not_protected", null));
        checkLimit(projects);
        Runner runner = new Runner(
                instance.nextId("runner"),
                instance.newToken("runner", "glrt-t3_"),
                type,
                projects,
                settings,
                instance.randomText(32),
                instance.now());
        instance.runners().put(runner.id(), runner);
        return Reply.json(201, Json.object("id", runner.id(), "token", runner.token(), "token_expires_at", null));
    }

    private long ownedProject(HttpCall call, AccessToken token) {
        Project project =
                instance.findProject(call.required("project_id")).orElseThrow(() -> ApiException.notFound("Project"));
        Long only = token.project();
        if ((only != null && only != project.id()) || token.accessLevel() < Authentication.MAINTAINER) {
            throw new ApiException(403, "403 Forbidden  - Insufficient permissions");
        }
        return project.id();
    }

    /** Runners that were made or active within seven days count. */
    private void checkLimit(Set<Long> projects) {
        long limit = switches.get(Switches.Setting.PROJECT_RUNNER_LIMIT);
        Instant since = instance.now().minus(Duration.ofDays(7));
        for (long project : projects) {
            long count = instance.runners().values().stream()
                    .filter(runner -> runner.projects().contains(project))
                    .filter(runner -> runner.createdAt().isAfter(since)
                            || (runner.contactedAt() != null
                                    && runner.contactedAt().isAfter(since)))
                    .count();
            if (limit > 0 && count >= limit) {
                throw ApiException.badRequest(
                        "Maximum number of ci registered project runners (" + limit + ") exceeded");
            }
        }
    }

    private static RunnerSettings settings(HttpCall call, RunnerSettings before) {
        Long timeout = call.number("maximum_timeout");
        if (timeout != null && timeout < 600) {
            throw ApiException.badRequest("Maximum timeout needs to be at least 10 minutes");
        }
        String note = call.text("maintenance_note");
        if (note != null && note.length() > 1024) {
            throw ApiException.badRequest("Maintenance note is too long (maximum is 1024 characters)");
        }
        String accessLevel = Objects.requireNonNullElse(call.text("access_level"), before.accessLevel());
        if (!List.of("not_protected", "ref_protected").contains(accessLevel)) {
            throw ApiException.parameter("access_level does not have a valid value");
        }
        RunnerSettings settings = new RunnerSettings(
                call.has("description") ? call.text("description") : before.description(),
                note != null ? note : before.maintenanceNote(),
                call.has("tag_list") ? call.list("tag_list") : before.tags(),
                call.has("active") ? !call.flag("active", true) : call.flag("paused", before.paused()),
                call.flag("locked", before.locked()),
                call.flag("run_untagged", before.runUntagged()),
                accessLevel,
                timeout != null ? Integer.valueOf(timeout.intValue()) : before.maximumTimeout());
        if (!settings.runUntagged() && settings.tags().isEmpty()) {
            throw ApiException.badRequest(
                    "Tags list can not be empty when runner is not allowed to pick untagged jobs");
        }
        return settings;
    }

    private Reply update(HttpCall call) {
        Runner runner = manageable(call);
        runner.change(settings(call, runner.settings()));
        instance.tickQueues(List.of(runner));
        return Reply.json(200, RunnerEntities.details(runner, instance));
    }

    private Reply delete(HttpCall call) {
        Runner runner = manageable(call);
        if (runner.projects().size() > 1) {
            throw new ApiException(403, "403 Forbidden - Runner associated with more than one project");
        }
        instance.remove(runner);
        return Reply.empty(204);
    }

    private Runner manageable(HttpCall call) {
        AccessToken token = authentication.require(call, "api", "manage_runner");
        Runner runner = runner(call);
        Long only = token.project();
        if (token.accessLevel() < Authentication.MAINTAINER
                || (only != null && !runner.projects().contains(only))) {
            throw new ApiException(403, "403 Forbidden - No access granted");
        }
        return runner;
    }

    private Runner runner(HttpCall call) {
        Runner runner = instance.runners().get(call.id("runner"));
        if (runner == null) {
            throw ApiException.notFound("Runner");
        }
        return runner;
    }

    private Stream<Runner> ofAllProjects(AccessToken token) {
        Long only = token.project();
        return instance.runners().values().stream()
                .filter(runner -> only == null || runner.projects().contains(only));
    }

    private Reply listOfProject(HttpCall call) {
        AccessToken token = authentication.require(call, "api", "read_api", "manage_runner");
        Project project = authentication.project(call, token, Authentication.MAINTAINER);
        return list(
                call,
                instance.runners().values().stream()
                        .filter(runner -> runner.isShared() || runner.projects().contains(project.id())));
    }

    private Reply list(HttpCall call, Stream<Runner> runners) {
        String type = call.text("type");
        String status = call.text("status");
        String paused = call.text("paused");
        List<String> tags = call.list("tag_list");
        Instant now = instance.now();
        List<Runner> shown = runners.filter(runner -> type == null || type.equals(runner.type()))
                .filter(runner -> status == null || status.equals(runner.status(now)))
                .filter(runner -> paused == null
                        || Boolean.parseBoolean(paused) == runner.settings().paused())
                .filter(runner -> runner.settings().tags().containsAll(tags))
                .sorted(Comparator.comparingLong(Runner::id).reversed())
                .toList();
        return Paging.reply(instance, call, shown, runner -> RunnerEntities.basic(runner, now));
    }

    private Reply jobs(HttpCall call) {
        authentication.require(call, "api", "read_api", "manage_runner");
        Runner runner = runner(call);
        @Nullable String status = call.text("status");
        List<Build> builds = instance.builds().stream()
                .filter(build -> build.runner() == runner && !build.isClaimed())
                .filter(build -> status == null || status.equals(build.status().text()))
                .sorted(Comparator.comparingLong(Build::id).reversed())
                .toList();
        Entities entities = new Entities(instance);
        ProjectEntities projects = new ProjectEntities(instance);
        return Paging.reply(instance, call, builds, build -> {
            Map<String, @Nullable Object> entity = entities.job(build);
            entity.put("project", projects.project(build.project()));
            return entity;
        });
    }
}
