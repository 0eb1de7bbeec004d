package dev.mayfly.testkit.gitlab.page;

import dev.mayfly.testkit.gitlab.http.HttpCall;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.http.Reply;
import dev.mayfly.testkit.gitlab.http.Router;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiStatus;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.Project;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a user would look at, under the addresses that GitLab gives them: projects, a project's pipelines, a pipeline's
 * jobs by stage, a job with its log. For everyone to see, without signing in; nothing can be done here.
 */
public final class Pages {
    private static final String PROJECT = "/((?!api/|-/)[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+?)";
    private static final int SHOWN_PIPELINES = 100;

    /** A job's page is written without the lock: its log may be long. */
    private record JobPage(Path log, String before) {}

    private final Instance instance;

    public Pages(Instance instance) {
        this.instance = instance;
    }

    /** To be called last: a project's page has the widest of all addresses. */
    public void routes(Router router) {
        router.rest("GET", "/", call -> Reply.html(projects()));
        router.matching("GET", PROJECT + "/-/jobs/(\\d+)/raw", List.of("project", "job"), this::rawLog);
        router.matching("GET", PROJECT + "/-/jobs/(\\d+)", List.of("project", "job"), this::job);
        router.matching("GET", PROJECT + "/-/pipelines/(\\d+)", List.of("project", "pipeline"), this::pipeline);
        router.matching("GET", PROJECT + "(?:/-/pipelines)?", List.of("project"), this::project);
    }

    private String projects() {
        Frame frame = new Frame("Projects");
        Html html = frame.html();
        html.open("table");
        frame.row("th", "Project", "Last pipeline", "Jobs");
        for (Project project : instance.projects()) {
            List<Pipeline> pipelines = pipelines(project);
            html.open("tr")
                    .open("td")
                    .link("/" + project.fullPath(), project.fullPath())
                    .close("td")
                    .open("td");
            if (!pipelines.isEmpty()) {
                frame.status(pipelines.get(0).status(), address(pipelines.get(0)));
            }
            html.close("td");
            html.element(
                    "td",
                    Long.toString(pipelines.stream()
                            .mapToLong(one -> one.builds().size())
                            .sum()));
            html.close("tr");
        }
        html.close("table");
        return frame.end();
    }

    private Reply project(HttpCall call) {
        return instance.locked(() -> {
            Project project = instance.project(call.path("project"));
            Frame frame = new Frame(project.fullPath());
            Html html = frame.html();
            frame.crumbs("/", "Projects");
            html.element("h1", project.fullPath()).open("table");
            frame.row("th", "Status", "Pipeline", "Ref", "Commit", "Created");
            for (Pipeline pipeline : pipelines(project)) {
                html.open("tr").open("td");
                frame.status(pipeline.status(), address(pipeline));
                html.close("td")
                        .open("td")
                        .link(address(pipeline), "#" + pipeline.id())
                        .close("td");
                html.element("td", pipeline.cause().ref());
                html.element(
                        "td",
                        pipeline.cause().sha().substring(0, 8) + " "
                                + pipeline.commit().title());
                html.element("td", Objects.toString(Json.iso(pipeline.createdAt())))
                        .close("tr");
            }
            html.close("table");
            return Reply.html(frame.end());
        });
    }

    private Reply pipeline(HttpCall call) {
        return instance.locked(() -> {
            Project project = instance.project(call.path("project"));
            Pipeline pipeline = instance.pipeline(project, call.id("pipeline"));
            Frame frame = new Frame("Pipeline #" + pipeline.id());
            Html html = frame.html();
            frame.refreshUnless(pipeline.status().isComplete());
            frame.crumbs("/", "Projects", "/" + project.fullPath(), project.fullPath());
            html.element(
                    "h1",
                    "Pipeline #" + pipeline.id() + ": " + pipeline.commit().title());
            html.open("p");
            frame.status(pipeline.status(), address(pipeline));
            html.text(" " + pipeline.cause().ref() + " "
                            + pipeline.cause().sha().substring(0, 8))
                    .close("p");
            String errors = pipeline.yamlErrors();
            if (errors != null) {
                html.element("p", "The configuration is wrong: " + errors, "class", "error");
            }
            html.open("div", "class", "stages");
            for (String stage : pipeline.stages()) {
                html.open("div", "class", "stage").element("h2", stage);
                pipeline.builds().stream()
                        .filter(build -> build.seed().stage().equals(stage))
                        .forEach(build -> jobCard(frame, build));
                html.close("div");
            }
            html.close("div");
            return Reply.html(frame.end());
        });
    }

    private void jobCard(Frame frame, Build build) {
        Html html = frame.html();
        html.open("div", "class", build.isRetried() ? "job retried" : "job");
        frame.status(build.status(), address(build));
        html.text(" ").link(address(build), build.name());
        html.element("div", String.join(", ", build.tags()), "class", "small");
        html.element("div", facts(build), "class", "small").close("div");
    }

    private Reply job(HttpCall call) throws IOException {
        JobPage page = instance.locked(() -> {
            Build build = build(call);
            return new JobPage(build.trace(), aboveLog(build));
        });
        Path log = page.log();
        Html html = new Html();
        if (Files.exists(log) && Files.size(log) > LogView.SHOWN_BYTES) {
            html.element("p", "Only the end of the log is shown here.");
        }
        html.open("pre");
        LogView.write(LogView.tail(log), html);
        html.close("pre");
        return Reply.html(page.before() + html + Frame.END);
    }

    private String aboveLog(Build build) {
        Frame frame = new Frame(build.name() + " #" + build.id());
        Html html = frame.html();
        Project project = build.project();
        frame.refreshUnless(build.status().isComplete());
        frame.crumbs(
                "/",
                "Projects",
                "/" + project.fullPath(),
                project.fullPath(),
                address(build.pipeline()),
                "Pipeline #" + build.pipeline().id());
        html.element("h1", build.name() + " #" + build.id()).open("p");
        frame.status(build.status(), address(build));
        html.text(" " + facts(build)).close("p");
        html.open("p", "class", "small").text("Tags: " + String.join(", ", build.tags()));
        if (build.runner() != null) {
            html.text(" · Runner #" + build.runner().id() + " "
                    + Objects.toString(build.runner().settings().description(), ""));
        }
        build.artifacts().forEach(one -> html.text(" · " + one.filename() + " (" + one.size() + " bytes)"));
        html.text(" · ").link(address(build) + "/raw", "Raw log").close("p");
        return frame.begun();
    }

    private Reply rawLog(HttpCall call) {
        Path log = instance.locked(() -> build(call)).trace();
        return (Files.exists(log) ? Reply.file(log, "text/plain; charset=utf-8") : Reply.text(200, ""))
                .header("X-Content-Type-Options", "nosniff");
    }

    private Build build(HttpCall call) {
        return instance.build(instance.project(call.path("project")), call.id("job"));
    }

    private List<Pipeline> pipelines(Project project) {
        List<Pipeline> all = new ArrayList<>(instance.pipelines());
        all.removeIf(pipeline -> pipeline.project() != project);
        all.sort(Comparator.comparingLong(Pipeline::id).reversed());
        return all.stream().limit(SHOWN_PIPELINES).toList();
    }

    private String facts(Build build) {
        StringBuilder facts = new StringBuilder();
        if (build.failureReason() != null && build.status() == CiStatus.FAILED) {
            facts.append(build.failureReason()).append(build.isAllowedToFail() ? ", allowed to fail. " : ". ");
        }
        Instant started = build.startedAt();
        if (started != null) {
            facts.append("Ran ").append(seconds(started, build.finishedAt())).append(" s");
            facts.append(", waited ").append(seconds(build.queuedAt(), started)).append(" s");
        }
        return facts.toString();
    }

    private long seconds(@Nullable Instant from, @Nullable Instant to) {
        return from == null
                ? 0
                : Duration.between(from, to == null ? instance.now() : to).toSeconds();
    }

    private static String address(Pipeline pipeline) {
        return "/" + pipeline.project().fullPath() + "/-/pipelines/" + pipeline.id();
    }

    private static String address(Build build) {
        return "/" + build.project().fullPath() + "/-/jobs/" + build.id();
    }
}
