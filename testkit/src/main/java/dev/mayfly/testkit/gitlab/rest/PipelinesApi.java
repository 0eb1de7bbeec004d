package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.git.GitRepository;
import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.AccessToken;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiStatus;
import dev.mayfly.testkit.gitlab.model.CiVariable;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.model.User;
import dev.mayfly.testkit.gitlab.pipeline.Builds;
import dev.mayfly.testkit.gitlab.pipeline.PipelineCreation;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;

/** {@code /projects/:id/pipelines} and {@code /pipeline}. */
public final class PipelinesApi {
    private record NewPipeline(Project project, User user, String ref, List<CiVariable> variables) {}

    private final Instance instance;
    private final Authentication authentication;
    private final PipelineCreation creation;
    private final Builds builds;
    private final Entities entities;

    public PipelinesApi(Instance instance, Authentication authentication, PipelineCreation creation, Builds builds) {
        this.instance = instance;
        this.authentication = authentication;
        this.creation = creation;
        this.builds = builds;
        this.entities = new Entities(instance);
    }

    public void routes(Router router) {
        String pipelines = "/api/v4/projects/:project/pipelines";
        router.rest("GET", pipelines, this::list);
        router.rest("GET", pipelines + "/:pipeline", call -> Reply.json(200, entities.pipeline(readable(call))));
        router.rest(
                "GET",
                pipelines + "/:pipeline/variables",
                call -> Reply.json(
                        200,
                        readable(call).cause().variables().stream()
                                .map(new ProjectEntities(instance)::variable)
                                .toList()));
        router.streaming("POST", "/api/v4/projects/:project/pipeline", this::create);
        router.rest("DELETE", pipelines + "/:pipeline", this::delete);
        router.rest("POST", pipelines + "/:pipeline/cancel", this::cancel);
        router.rest("POST", pipelines + "/:pipeline/retry", this::retry);
    }

    private Reply list(HttpCall call) {
        Project project = authentication.readableProject(call);
        String status = call.text("status");
        String ref = call.text("ref");
        String sha = call.text("sha");
        List<Pipeline> shown = instance.pipelines().stream()
                .filter(pipeline -> pipeline.project() == project)
                .filter(pipeline ->
                        status == null || status.equals(pipeline.status().text()))
                .filter(pipeline -> ref == null || ref.equals(pipeline.cause().ref()))
                .filter(pipeline -> sha == null || sha.equals(pipeline.cause().sha()))
                .sorted(Comparator.comparingLong(Pipeline::id).reversed())
                .toList();
        return Paging.reply(instance, call, shown, entities::pipelineBasic);
    }

    private Pipeline readable(HttpCall call) {
        return instance.pipeline(authentication.readableProject(call), call.id("pipeline"));
    }

    private Pipeline writable(HttpCall call) {
        return instance.pipeline(authentication.writableProject(call), call.id("pipeline"));
    }

    private Reply create(HttpCall call) throws IOException {
        call.parameters();
        NewPipeline wanted = instance.locked(() -> {
            AccessToken token = authentication.writer(call);
            Project project = authentication.project(call, token, Authentication.DEVELOPER);
            return new NewPipeline(project, token.user(), call.required("ref"), JobsApi.variables(call, "variables"));
        });
        GitRepository repository = new GitRepository(wanted.project().repository());
        boolean tag = repository.resolve("refs/heads/" + wanted.ref()).isEmpty();
        String sha = repository
                .resolve((tag ? "refs/tags/" : "refs/heads/") + wanted.ref())
                .orElseThrow(() -> new ApiException(
                        400, Json.object("message", Json.object("base", List.of("Reference not found")))));
        Pipeline pipeline = creation.create(
                        wanted.project(),
                        wanted.user(),
                        "api",
                        wanted.ref(),
                        tag,
                        GitRepository.NO_COMMIT,
                        sha,
                        wanted.variables())
                .orElseThrow(
                        () -> new ApiException(
                                400,
                                Json.object(
                                        "message",
                                        Json.object(
                                                "base",
                                                List.of(
                                                        "The resulting pipeline would have been empty. Review the rules configuration for the relevant jobs.")))));
        return instance.locked(() -> Reply.json(201, entities.pipeline(pipeline)));
    }

    /** No webhook tells of it: the builds are gone before GitLab's workers come to those of their cancelling. */
    private Reply delete(HttpCall call) {
        Project project = authentication.project(call, authentication.writer(call), Authentication.MAINTAINER);
        instance.remove(instance.pipeline(project, call.id("pipeline")));
        return Reply.empty(204);
    }

    private Reply cancel(HttpCall call) {
        Pipeline pipeline = writable(call);
        // Waiting builds first, so that none of them is started by the end of another.
        List<Build> alive = pipeline.latestBuilds().stream()
                .filter(build -> !build.status().isComplete())
                .sorted(Comparator.comparing(build -> build.status() == CiStatus.RUNNING))
                .toList();
        alive.forEach(build -> builds.cancel(build, false));
        return Reply.json(200, entities.pipeline(pipeline));
    }

    private Reply retry(HttpCall call) {
        Pipeline pipeline = writable(call);
        User user = authentication.writer(call).user();
        for (Build build : pipeline.latestBuilds()) {
            if (build.status() == CiStatus.FAILED || build.status() == CiStatus.CANCELED) {
                builds.retry(build, user);
            }
        }
        return Reply.json(201, entities.pipeline(pipeline));
    }
}
