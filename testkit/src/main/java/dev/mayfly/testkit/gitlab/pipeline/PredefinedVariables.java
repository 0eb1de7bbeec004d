package dev.mayfly.testkit.gitlab.pipeline;

import dev.mayfly.testkit.gitlab.ci.JobSeed;
import dev.mayfly.testkit.gitlab.git.GitRepository;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.model.Runner;
import dev.mayfly.testkit.gitlab.model.RunnerManager;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The {@code CI_*} variables that GitLab itself sets, all of them text. */
public final class PredefinedVariables {
    static final String VERSION = "19.1.0";
    /** Those whose value is a secret. */
    static final Set<String> MASKED = Set.of(
            "CI_JOB_TOKEN",
            "CI_BUILD_TOKEN",
            "CI_REPOSITORY_URL",
            "CI_REGISTRY_PASSWORD",
            "CI_DEPENDENCY_PROXY_PASSWORD");

    private final Instance instance;

    public PredefinedVariables(Instance instance) {
        this.instance = instance;
    }

    /** Those of a pipeline that is yet to be made, for its rules. */
    public Map<String, String> ofCause(Project project, Pipeline.Cause cause, Pipeline.Commit commit) {
        Map<String, String> all = new LinkedHashMap<>();
        server(all);
        project(all, project);
        commit(all, project, cause, commit);
        return all;
    }

    Map<String, String> ofBuild(Build build, int timeoutSeconds) {
        Pipeline pipeline = build.pipeline();
        Map<String, String> all = new LinkedHashMap<>();
        job(all, build, timeoutSeconds);
        server(all);
        project(all, build.project());
        all.put("CI_PIPELINE_ID", Long.toString(pipeline.id()));
        all.put("CI_PIPELINE_IID", Long.toString(pipeline.iid()));
        all.put("CI_PIPELINE_URL", projectUrl(build.project()) + "/-/pipelines/" + pipeline.id());
        all.put("CI_PIPELINE_CREATED_AT", Objects.toString(Json.iso(pipeline.createdAt()), ""));
        all.put("CI_PIPELINE_NAME", "");
        commit(all, build.project(), pipeline.cause(), pipeline.commit());
        runner(all, build.runner(), build.manager());
        return all;
    }

    private void job(Map<String, String> all, Build build, int timeoutSeconds) {
        JobSeed seed = build.seed();
        all.put("CI", "true");
        all.put("GITLAB_CI", "true");
        all.put("CI_JOB_ID", Long.toString(build.id()));
        all.put("CI_JOB_URL", projectUrl(build.project()) + "/-/jobs/" + build.id());
        all.put("CI_JOB_TOKEN", build.token());
        all.put(
                "CI_JOB_STARTED_AT",
                Objects.toString(Json.iso(build.startedAt() == null ? instance.now() : build.startedAt()), ""));
        all.put("CI_JOB_TIMEOUT", Integer.toString(timeoutSeconds));
        all.put("CI_JOB_NAME", build.name());
        all.put("CI_JOB_NAME_SLUG", slug(build.name()));
        all.put("CI_JOB_STAGE", seed.stage());
        all.put("CI_JOB_MANUAL", Boolean.toString(seed.when().equals("manual")));
        all.put("CI_JOB_IMAGE", imageName(seed.image()));
        all.put("CI_NODE_TOTAL", Integer.toString(Math.max(1, seed.parallelTotal())));
        if (seed.parallelTotal() > 0) {
            all.put("CI_NODE_INDEX", Integer.toString(seed.parallelIndex()));
        }
        JobSeed.Environment environment = seed.environment();
        if (environment != null) {
            all.put("CI_ENVIRONMENT_NAME", environment.name());
            all.put("CI_ENVIRONMENT_SLUG", slug(environment.name()));
            all.put("CI_ENVIRONMENT_ACTION", environment.action());
            all.put("CI_ENVIRONMENT_URL", Objects.toString(environment.url(), ""));
        }
        all.put("CI_REGISTRY_USER", "gitlab-ci-token");
        all.put("CI_REGISTRY_PASSWORD", build.token());
        all.put("CI_REPOSITORY_URL", repositoryUrl(build));
        all.put("GITLAB_USER_ID", Long.toString(build.user().id()));
        all.put("GITLAB_USER_LOGIN", build.user().username());
        all.put("GITLAB_USER_NAME", build.user().name());
        all.put("GITLAB_USER_EMAIL", build.user().email());
    }

    private void server(Map<String, String> all) {
        URI url = URI.create(instance.url());
        int port = url.getPort() >= 0 ? url.getPort() : url.getScheme().equals("https") ? 443 : 80;
        all.put("CI_SERVER", "yes");
        all.put("CI_SERVER_URL", instance.url());
        all.put("CI_SERVER_HOST", url.getHost());
        all.put("CI_SERVER_PORT", Integer.toString(port));
        all.put("CI_SERVER_FQDN", url.getAuthority());
        all.put("CI_SERVER_PROTOCOL", url.getScheme());
        all.put("CI_SERVER_NAME", "GitLab");
        all.put("CI_SERVER_VERSION", VERSION);
        all.put("CI_SERVER_VERSION_MAJOR", "19");
        all.put("CI_SERVER_VERSION_MINOR", "1");
        all.put("CI_SERVER_VERSION_PATCH", "0");
        all.put("CI_SERVER_REVISION", "simulated");
        all.put("CI_API_V4_URL", instance.url() + "/api/v4");
        all.put("CI_API_GRAPHQL_URL", instance.url() + "/api/graphql");
        all.put("CI_TEMPLATE_REGISTRY_HOST", "registry.gitlab.com");
        all.put("GITLAB_FEATURES", "");
    }

    private void project(Map<String, String> all, Project project) {
        all.put("CI_PROJECT_ID", Long.toString(project.id()));
        all.put("CI_PROJECT_NAME", project.path());
        all.put("CI_PROJECT_TITLE", project.name());
        all.put("CI_PROJECT_DESCRIPTION", "");
        all.put("CI_PROJECT_PATH", project.fullPath());
        all.put("CI_PROJECT_PATH_SLUG", slug(project.fullPath()));
        all.put("CI_PROJECT_NAMESPACE", project.namespace());
        all.put("CI_PROJECT_NAMESPACE_ID", Long.toString(project.namespaceId()));
        all.put("CI_PROJECT_ROOT_NAMESPACE", project.rootNamespace());
        all.put("CI_PROJECT_URL", projectUrl(project));
        all.put("CI_PROJECT_VISIBILITY", project.visibility());
        all.put("CI_PROJECT_REPOSITORY_LANGUAGES", "");
        all.put("CI_PROJECT_CLASSIFICATION_LABEL", "");
        all.put("CI_DEFAULT_BRANCH", project.defaultBranch());
        all.put("CI_CONFIG_PATH", ".gitlab-ci.yml");
    }

    private static void commit(Map<String, String> all, Project project, Pipeline.Cause cause, Pipeline.Commit commit) {
        all.put("CI_PIPELINE_SOURCE", cause.source());
        all.put("CI_COMMIT_SHA", cause.sha());
        all.put("CI_COMMIT_SHORT_SHA", cause.sha().substring(0, 8));
        all.put("CI_COMMIT_BEFORE_SHA", cause.beforeSha().isEmpty() ? GitRepository.NO_COMMIT : cause.beforeSha());
        all.put("CI_COMMIT_REF_NAME", cause.ref());
        all.put("CI_COMMIT_REF_SLUG", slug(cause.ref()));
        all.put("CI_COMMIT_REF_PROTECTED", Boolean.toString(cause.isProtected()));
        if (cause.tag()) {
            all.put("CI_COMMIT_TAG", cause.ref());
        } else {
            all.put("CI_COMMIT_BRANCH", cause.ref());
        }
        all.put("CI_COMMIT_TITLE", commit.title());
        all.put("CI_COMMIT_MESSAGE", commit.message());
        all.put(
                "CI_COMMIT_DESCRIPTION",
                commit.message().lines().skip(1).reduce("", (a, b) -> a.isEmpty() ? b : a + "\n" + b));
        all.put("CI_COMMIT_TIMESTAMP", commit.at().toString());
        all.put("CI_COMMIT_AUTHOR", commit.authorName() + " <" + commit.authorEmail() + ">");
        all.put("CI_OPEN_MERGE_REQUESTS", "");
        all.put("CI_PROJECT_NAME", project.path());
    }

    private static void runner(Map<String, String> all, @Nullable Runner runner, @Nullable RunnerManager manager) {
        if (runner == null || manager == null) {
            return;
        }
        all.put("CI_RUNNER_ID", Long.toString(runner.id()));
        all.put("CI_RUNNER_DESCRIPTION", Objects.toString(runner.settings().description(), ""));
        all.put(
                "CI_RUNNER_TAGS",
                new String(Json.bytes(runner.settings().tags()), java.nio.charset.StandardCharsets.UTF_8));
    }

    String projectUrl(Project project) {
        return instance.url() + "/" + project.fullPath();
    }

    String repositoryUrl(Build build) {
        URI url = URI.create(instance.url());
        return url.getScheme() + "://gitlab-ci-token:" + build.token() + "@" + url.getAuthority() + "/"
                + build.project().fullPath() + ".git";
    }

    private static String imageName(@Nullable Map<String, @Nullable Object> image) {
        return image == null ? "" : Objects.toString(image.get("name"), "");
    }

    private static String slug(String text) {
        String slug = text.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "-");
        String cut = slug.length() > 63 ? slug.substring(0, 63) : slug;
        return cut.replaceAll("^-+|-+$", "");
    }
}
