package dev.mayfly.testkit.gitlab.pipeline;

import dev.mayfly.testkit.gitlab.ci.JobSeed;
import dev.mayfly.testkit.gitlab.http.Json;
import dev.mayfly.testkit.gitlab.model.Artifact;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiStatus;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.model.Runner;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The body of a 201 of {@code POST /jobs/request} (lib/api/entities/ci/job_request). */
public final class BuildPayload {
    static final List<String> FAILURE_REASONS = List.of(
            "unknown_failure",
            "script_failure",
            "api_failure",
            "stuck_or_timeout_failure",
            "runner_system_failure",
            "missing_dependency_failure",
            "runner_unsupported",
            "stale_schedule",
            "job_execution_timeout",
            "archived_failure",
            "unmet_prerequisites",
            "scheduler_failure",
            "data_integrity_failure",
            "forward_deployment_failure",
            "user_blocked",
            "project_deleted",
            "ci_quota_exceeded",
            "pipeline_loop_detected",
            "no_matching_runner",
            "trace_size_exceeded",
            "builds_disabled",
            "environment_creation_failure",
            "image_pull_failure",
            "job_token_expired",
            "runner_provisioning_timeout",
            "runner_configuration_error",
            "runner_external_dependency_failure",
            "runner_interrupted");

    private static final int DEFAULT_TIMEOUT = 3600;
    private static final int DEPTH = 20;

    private final Instance instance;
    private final PredefinedVariables predefined;
    private final JobVariables variables;

    public BuildPayload(Instance instance, PredefinedVariables predefined) {
        this.instance = instance;
        this.predefined = predefined;
        this.variables = new JobVariables(predefined);
    }

    public Map<String, @Nullable Object> render(Build build) {
        JobSeed seed = build.seed();
        int timeout = timeout(build);
        List<Build> dependencies = Dependencies.artifactSources(build);
        return Json.object(
                "id", build.id(),
                "token", build.token(),
                "allow_git_fetch", true,
                "job_info", jobInfo(build),
                "git_info", gitInfo(build),
                "runner_info", Json.object("timeout", timeout, "runner_session_url", null),
                "inputs", List.of(),
                "variables", variables.payload(build, dependencies, timeout),
                "steps", steps(seed, timeout),
                "hooks", seed.hooks(),
                "image", seed.image(),
                "services", seed.services(),
                "artifacts", seed.artifacts().isEmpty() ? null : seed.artifacts(),
                "cache", cache(build),
                "credentials", List.of(),
                "dependencies", dependencies(build, dependencies),
                "features",
                        Json.object(
                                "trace_sections",
                                true,
                                "token_mask_prefixes",
                                List.of("glpat-", "glrt-", "glcbt-"),
                                "failure_reasons",
                                FAILURE_REASONS),
                "secrets", Json.object(),
                "policy_options", null);
    }

    public static boolean isKnownFailureReason(String reason) {
        return FAILURE_REASONS.contains(reason);
    }

    /** The lowest of job, project and runner, in seconds. */
    public static int timeout(Build build) {
        Integer own = build.seed().timeoutSeconds();
        int timeout = own == null ? DEFAULT_TIMEOUT : own;
        Runner runner = build.runner();
        Integer most = runner == null ? null : runner.settings().maximumTimeout();
        return most == null ? timeout : Math.min(timeout, most);
    }

    private Map<String, @Nullable Object> jobInfo(Build build) {
        Project project = build.project();
        return Json.object(
                "id", build.id(),
                "name", build.name(),
                "stage", build.seed().stage(),
                "project_id", project.id(),
                "project_name", project.path(),
                "project_full_path", project.fullPath(),
                "pipeline_id", build.pipeline().id(),
                "namespace_id", project.namespaceId(),
                "root_namespace_id", project.namespaceId(),
                "organization_id", 1,
                "instance_id", "simulated-" + instance.host(),
                "instance_uuid", "00000000-0000-4000-8000-000000000000",
                "user_id", build.user().id(),
                "scoped_user_id", null,
                "time_in_queue_seconds",
                        Objects.requireNonNullElse(Json.seconds(build.queuedAt(), instance.now()), 0.0),
                "project_jobs_running_on_instance_runners_count", runningOnInstanceRunners(build),
                "queue_size", 0,
                "queue_depth", 0);
    }

    /** A text that Prometheus understands; nothing is counted for other runners. */
    private String runningOnInstanceRunners(Build build) {
        if (build.runner() == null || !build.runner().isShared()) {
            return "+Inf";
        }
        long running = instance.builds().stream()
                .filter(other -> other.project() == build.project() && other.status() == CiStatus.RUNNING)
                .filter(other -> other.runner() != null && other.runner().isShared())
                .count();
        return running < 50 ? Long.toString(running) : "50+";
    }

    private Map<String, @Nullable Object> gitInfo(Build build) {
        Pipeline.Cause cause = build.pipeline().cause();
        int depth = depth(build);
        String name = depth == 0 ? "*" : cause.ref();
        List<String> refspecs = new ArrayList<>(List.of(
                "+" + cause.sha() + ":refs/pipelines/" + build.pipeline().id()));
        if (!cause.tag() || depth == 0) {
            refspecs.add("+refs/heads/" + name + ":refs/remotes/origin/" + name);
        }
        if (cause.tag() || depth == 0) {
            refspecs.add("+refs/tags/" + name + ":refs/tags/" + name);
        }
        return Json.object(
                "repo_url", predefined.repositoryUrl(build),
                "repo_object_format", "sha1",
                "ref", cause.ref(),
                "sha", cause.sha(),
                "before_sha", cause.beforeSha(),
                "ref_type", cause.tag() ? "tag" : "branch",
                "refspecs", refspecs,
                "depth", depth,
                "protected", cause.isProtected());
    }

    /** {@code GIT_DEPTH} of the job, 0 meaning all of it. */
    private static int depth(Build build) {
        return build.seed().variables().stream()
                .filter(one -> one.key().equals("GIT_DEPTH") && one.value().matches("\\d{1,9}"))
                .map(one -> Integer.parseInt(one.value()))
                .reduce(DEPTH, (first, last) -> last);
    }

    private static List<Map<String, @Nullable Object>> steps(JobSeed seed, int timeout) {
        List<Map<String, @Nullable Object>> steps = new ArrayList<>();
        steps.add(Json.object(
                "name",
                "script",
                "script",
                seed.script(),
                "timeout",
                timeout,
                "when",
                "on_success",
                "allow_failure",
                false));
        if (!seed.afterScript().isEmpty()) {
            steps.add(Json.object(
                    "name",
                    "after_script",
                    "script",
                    seed.afterScript(),
                    "timeout",
                    timeout,
                    "when",
                    "always",
                    "allow_failure",
                    true));
        }
        return steps;
    }

    private static List<Map<String, @Nullable Object>> cache(Build build) {
        String suffix = build.pipeline().isProtected() ? "-protected" : "-non_protected";
        List<Map<String, @Nullable Object>> result = new ArrayList<>();
        for (Map<String, @Nullable Object> one : build.seed().cache()) {
            Map<String, @Nullable Object> copy = Json.object();
            copy.putAll(one);
            boolean unprotected = Boolean.TRUE.equals(copy.remove("unprotect"));
            copy.put("key", one.get("key") + (unprotected ? "-non_protected" : suffix));
            result.add(copy);
        }
        return result;
    }

    /** The token is the asking job's: it is what runs. */
    private static List<Map<String, @Nullable Object>> dependencies(Build build, List<Build> dependencies) {
        List<Map<String, @Nullable Object>> result = new ArrayList<>();
        for (Build dependency : dependencies) {
            for (Artifact artifact : dependency.artifacts()) {
                if (artifact.type().equals("archive")) {
                    result.add(Json.object(
                            "id", dependency.id(),
                            "name", dependency.name(),
                            "token", build.token(),
                            "artifacts_file", Json.object("filename", artifact.filename(), "size", artifact.size())));
                }
            }
        }
        return result;
    }
}
