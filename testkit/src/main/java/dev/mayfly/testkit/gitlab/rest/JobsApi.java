package dev.mayfly.testkit.gitlab.rest;

import dev.mayfly.testkit.gitlab.http.ApiException;
import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.Artifact;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiVariable;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.pipeline.Builds;
import dev.mayfly.testkit.gitlab.runner.JobArtifacts;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** {@code /projects/:id/jobs}: read, log, artifacts, cancel, retry, play, erase. */
public final class JobsApi {
    private final Instance instance;
    private final Authentication authentication;
    private final Builds builds;
    private final Entities entities;

    public JobsApi(Instance instance, Authentication authentication, Builds builds) {
        this.instance = instance;
        this.authentication = authentication;
        this.builds = builds;
        this.entities = new Entities(instance);
    }

    public void routes(Router router) {
        String jobs = "/api/v4/projects/:project/jobs";
        router.rest("GET", jobs, this::list);
        router.rest("GET", "/api/v4/projects/:project/pipelines/:pipeline/jobs", this::listOfPipeline);
        router.rest("GET", jobs + "/:job", call -> Reply.json(200, entities.job(readable(call))));
        router.rest("GET", jobs + "/:job/trace", this::trace);
        router.rest("GET", jobs + "/:job/artifacts", this::artifacts);
        router.matching(
                "GET",
                "/api/v4/projects/([^/]+)/jobs/(\\d+)/artifacts/(.+)",
                List.of("project", "job", "file"),
                this::artifactFile);
        router.rest("POST", jobs + "/:job/cancel", this::cancel);
        router.rest("POST", jobs + "/:job/retry", this::retry);
        router.rest("POST", jobs + "/:job/play", this::play);
        router.rest("POST", jobs + "/:job/erase", this::erase);
    }

    private Reply list(HttpCall call) {
        Project project = authentication.readableProject(call);
        return list(
                call,
                instance.builds().stream()
                        .filter(build -> build.project() == project)
                        .toList());
    }

    private Reply listOfPipeline(HttpCall call) {
        Project project = authentication.readableProject(call);
        Pipeline pipeline = instance.pipeline(project, call.id("pipeline"));
        return list(call, call.flag("include_retried", false) ? pipeline.builds() : pipeline.latestBuilds());
    }

    private Reply list(HttpCall call, List<Build> all) {
        List<String> scope = call.list("scope");
        List<Build> shown = all.stream()
                .filter(build ->
                        scope.isEmpty() || scope.contains(build.status().text()))
                .sorted(Comparator.comparingLong(Build::id).reversed())
                .toList();
        return Paging.reply(instance, call, shown, entities::job);
    }

    private Build readable(HttpCall call) {
        return instance.build(authentication.readableProject(call), call.id("job"));
    }

    private Build writable(HttpCall call) {
        return instance.build(authentication.writableProject(call), call.id("job"));
    }

    private Reply trace(HttpCall call) {
        Build build = readable(call);
        return Files.exists(build.trace()) ? Reply.file(build.trace(), "text/plain") : Reply.text(200, "");
    }

    private Reply artifacts(HttpCall call) {
        Artifact archive = JobArtifacts.archive(readable(call));
        return Reply.file(archive.file(), "application/octet-stream")
                .header("Content-Disposition", "attachment; filename=\"" + archive.filename() + "\"");
    }

    private Reply artifactFile(HttpCall call) throws IOException {
        call.parameters();
        Artifact archive = instance.locked(() -> JobArtifacts.archive(readable(call)));
        ZipFile zip = new ZipFile(archive.file().toFile());
        ZipEntry entry = zip.getEntry(call.path("file"));
        if (entry == null) {
            zip.close();
            throw new ApiException(404, "404 Not Found");
        }
        return Reply.stream(200, "application/octet-stream", entry.getSize(), out -> {
            try (zip) {
                zip.getInputStream(entry).transferTo(out);
            }
        });
    }

    private Reply cancel(HttpCall call) {
        Build build = writable(call);
        builds.cancel(build, call.flag("force", false));
        return Reply.json(201, entities.job(build));
    }

    private Reply retry(HttpCall call) {
        Build build = writable(call);
        return Reply.json(
                201,
                entities.job(builds.retry(build, authentication.writer(call).user())));
    }

    private Reply play(HttpCall call) {
        Build build = writable(call);
        builds.play(build, authentication.writer(call).user(), variables(call, "job_variables_attributes"));
        return Reply.json(200, entities.job(build));
    }

    private Reply erase(HttpCall call) throws IOException {
        Build build = writable(call);
        if (!build.status().isComplete()) {
            throw new ApiException(403, "403 Forbidden - Job is not erasable!");
        }
        for (Artifact artifact : build.artifacts()) {
            Files.deleteIfExists(artifact.file());
        }
        Files.deleteIfExists(build.trace());
        build.erase(instance.now());
        return Reply.json(201, entities.job(build));
    }

    /** Variables given to a job or pipeline, as list of keys and values. */
    static List<CiVariable> variables(HttpCall call, String parameter) {
        List<CiVariable> result = new ArrayList<>();
        for (Map<?, ?> one : call.objects(parameter)) {
            boolean file = "file".equals(one.get("variable_type"));
            result.add(new CiVariable(
                    String.valueOf(one.get("key")),
                    String.valueOf(one.get("value")),
                    file,
                    false,
                    false,
                    false,
                    false,
                    "*"));
        }
        return result;
    }
}
