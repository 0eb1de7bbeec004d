package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.git.GitRepository;
import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.AccessToken;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiVariable;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.pipeline.Builds;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/** {@code /projects}, with their variables. */
public final class ProjectsApi {
    private final Instance instance;
    private final Authentication authentication;
    private final Projects projects;
    private final Builds builds;
    private final ProjectEntities entities;

    public ProjectsApi(Instance instance, Authentication authentication, Projects projects, Builds builds) {
        this.instance = instance;
        this.authentication = authentication;
        this.projects = projects;
        this.builds = builds;
        this.entities = new ProjectEntities(instance);
    }

    public void routes(Router router) {
        router.rest("GET", "/api/v4/projects", this::list);
        router.rest("POST", "/api/v4/projects", this::create);
        router.rest("GET", "/api/v4/projects/:project", call -> {
            return Reply.json(200, entities.project(authentication.readableProject(call)));
        });
        router.rest("PUT", "/api/v4/projects/:project", this::update);
        router.rest("DELETE", "/api/v4/projects/:project", this::delete);
        router.rest("GET", "/api/v4/projects/:project/repository/branches", this::branches);
        String variables = "/api/v4/projects/:project/variables";
        router.rest(
                "GET",
                variables,
                call -> Paging.reply(
                        instance, call, List.copyOf(maintained(call).variables().values()), entities::variable));
        router.rest("POST", variables, this::createVariable);
        router.rest("GET", variables + "/:key", call -> Reply.json(200, entities.variable(variable(call))));
        router.rest("PUT", variables + "/:key", this::updateVariable);
        router.rest("DELETE", variables + "/:key", call -> {
            maintained(call).variables().remove(variable(call).key());
            return Reply.empty(204);
        });
    }

    private Reply list(HttpCall call) {
        AccessToken token = authentication.reader(call);
        Long only = token.project();
        String search = call.text("search");
        List<Project> shown = instance.projects().stream()
                .filter(project -> only == null || only == project.id())
                .filter(project -> search == null || project.fullPath().contains(search))
                .sorted(Comparator.comparingLong(Project::id).reversed())
                .toList();
        return Paging.reply(instance, call, shown, entities::project);
    }

    private Reply create(HttpCall call) {
        AccessToken token = authentication.writer(call);
        String name = call.text("name");
        String path = call.text("path");
        if (name == null && path == null) {
            throw ApiException.parameter("name, path are missing, at least one parameter must be provided");
        }
        String namespace =
                Objects.requireNonNullElse(namespace(call), token.user().username());
        String last = path != null
                ? path
                : String.valueOf(name).toLowerCase(java.util.Locale.ROOT).replace(' ', '-');
        Project project = projects.create(
                namespace + "/" + last,
                name != null ? name : last,
                Objects.requireNonNullElse(call.text("visibility"), "private"));
        return Reply.json(201, entities.project(project));
    }

    /** GitLab wants a namespace's id; a path of a namespace that is not there yet is taken too, for scripts' sake. */
    private @org.jspecify.annotations.Nullable String namespace(HttpCall call) {
        String given = call.text("namespace_id");
        if (given == null || !given.matches("\\d+")) {
            return given != null ? given : call.text("namespace_path");
        }
        return instance.projects().stream()
                .filter(project -> Long.toString(project.namespaceId()).equals(given))
                .map(Project::namespace)
                .findFirst()
                .orElseThrow(() -> ApiException.notFound("Namespace"));
    }

    private Reply update(HttpCall call) {
        Project project = maintained(call);
        String visibility = call.text("visibility");
        if (visibility != null) {
            project.changeVisibility(visibility);
        }
        String branch = call.text("default_branch");
        if (branch != null) {
            project.changeDefaultBranch(branch);
            new GitRepository(project.repository()).setHead(branch);
        }
        return Reply.json(200, entities.project(project));
    }

    /** Its jobs' tokens end with it. */
    private Reply delete(HttpCall call) {
        Project project = maintained(call);
        for (Build build : List.copyOf(instance.builds())) {
            if (build.project() == project) {
                builds.cancel(build, true);
            }
        }
        instance.remove(project);
        return Paging.accepted("202 Accepted");
    }

    private Reply branches(HttpCall call) {
        Project project = authentication.readableProject(call);
        List<String> refs = new GitRepository(project.repository())
                .refs().keySet().stream()
                        .filter(ref -> ref.startsWith("refs/heads/"))
                        .map(ref -> ref.substring("refs/heads/".length()))
                        .toList();
        return Paging.reply(instance, call, refs, name -> {
            boolean isDefault = name.equals(project.defaultBranch());
            return Json.object("name", name, "default", isDefault, "protected", isDefault, "merged", false);
        });
    }

    private Project maintained(HttpCall call) {
        return authentication.project(call, authentication.writer(call), Authentication.MAINTAINER);
    }

    private CiVariable variable(HttpCall call) {
        CiVariable variable = maintained(call).variables().get(call.path("key"));
        if (variable == null) {
            throw ApiException.notFound("Variable");
        }
        return variable;
    }

    private Reply createVariable(HttpCall call) {
        Project project = maintained(call);
        String key = call.required("key");
        if (!key.matches("[A-Za-z0-9_]{1,255}")) {
            throw new ApiException(
                    400,
                    Json.object("message", Json.object("key", List.of("can contain only letters, digits and '_'."))));
        }
        if (project.variables().containsKey(key)) {
            throw new ApiException(
                    400, Json.object("message", Json.object("key", List.of("(" + key + ") has already been taken"))));
        }
        boolean hidden = call.flag("masked_and_hidden", false);
        CiVariable made =
                changed(call, new CiVariable(key, call.required("value"), false, false, hidden, hidden, false, "*"));
        project.variables().put(key, made);
        return Reply.json(201, entities.variable(made));
    }

    private Reply updateVariable(HttpCall call) {
        CiVariable made = changed(call, variable(call));
        maintained(call).variables().put(made.key(), made);
        return Reply.json(200, entities.variable(made));
    }

    private static CiVariable changed(HttpCall call, CiVariable before) {
        CiVariable made = new CiVariable(
                before.key(),
                Objects.requireNonNullElse(call.text("value"), before.value()),
                call.has("variable_type") ? "file".equals(call.text("variable_type")) : before.file(),
                call.flag("protected", before.protectedOnly()),
                call.flag("masked", before.masked()),
                before.hidden(),
                call.flag("raw", before.raw()),
                Objects.requireNonNullElse(call.text("environment_scope"), before.scope()));
        boolean maskable = made.value().length() >= 8
                && !made.value().contains("\n")
                && !made.value().contains(" ");
        if (made.masked() && !maskable) {
            throw new ApiException(400, Json.object("message", Json.object("value", List.of("is invalid"))));
        }
        return made;
    }
}
