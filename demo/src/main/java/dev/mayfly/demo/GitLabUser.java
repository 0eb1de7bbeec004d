package dev.mayfly.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** What a person does with GitLab: creates projects, pushes, looks at pipelines, jobs and logs, cancels. */
public final class GitLabUser {

    private static final int PER_PAGE = 100;

    private final JsonApi api;
    private final String hostName;
    private final Path hosts;
    private final Path caPem;
    private final String token;

    GitLabUser(String hostName, String address, Path hosts, Path caPem, String token) {
        this.hostName = hostName;
        this.hosts = hosts;
        this.caPem = caPem;
        this.token = token;
        this.api = new JsonApi(URI.create("https://" + address), caPem, "PRIVATE-TOKEN", token);
    }

    public JsonApi api() {
        return api;
    }

    /** Creates {@code demo/<name>} with a job webhook to the control plane. */
    long createProject(String name, String webhookUrl, String secretToken, String signingToken) {
        JsonNode project = api.post("/api/v4/projects", Map.of("path", name, "name", name, "namespace_path", "demo"));
        long id = project.get("id").asLong();
        api.post(
                "/api/v4/projects/" + id + "/hooks",
                Map.of(
                        "url", webhookUrl,
                        "token", secretToken,
                        "signing_token", signingToken,
                        "job_events", true,
                        "pipeline_events", true,
                        "push_events", false,
                        "enable_ssl_verification", false));
        return id;
    }

    String pathOf(long project) {
        return api.get("/api/v4/projects/" + project).get("path_with_namespace").asText();
    }

    /** Gives the project a CI variable: an object as GitLab's API takes it. */
    void addVariable(long project, Map<String, ?> variable) {
        api.post("/api/v4/projects/%d/variables".formatted(project), variable);
    }

    /** Pushes the repository's current branch as {@code main}. */
    public void push(Path repository, long project) {
        String credentials = Base64.getEncoder().encodeToString(("root:" + token).getBytes(StandardCharsets.UTF_8));
        Map<String, String> asRoot = Map.of(
                "GIT_CONFIG_COUNT", "1",
                "GIT_CONFIG_KEY_0", "http.extraHeader",
                "GIT_CONFIG_VALUE_0", "Authorization: Basic " + credentials,
                "GIT_TERMINAL_PROMPT", "0",
                "GIT_SSL_CAINFO", caPem.toString());
        Shell.run(asRoot, gitPush(repository, "https://%s/%s.git".formatted(hostName, pathOf(project))));
    }

    /**
     * The pipeline that the last push started.
     *
     * @throws IllegalStateException if it started none, or one without jobs because GitLab can't read its configuration
     */
    public long newestPipeline(long project) {
        JsonNode pipelines = api.get("/api/v4/projects/%d/pipelines?per_page=1".formatted(project));
        if (pipelines.isEmpty()) {
            throw new IllegalStateException(
                    "the push started no pipeline; is there a .gitlab-ci.yml in the repository?");
        }
        long id = pipelines.get(0).get("id").asLong();
        JsonNode errors = api.get("/api/v4/projects/%d/pipelines/%d".formatted(project, id))
                .path("yaml_errors");
        if (errors.isTextual()) {
            throw new IllegalStateException("GitLab can't use the repository's .gitlab-ci.yml: %s; mend it and commit"
                    .formatted(errors.asText()));
        }
        return id;
    }

    /** With a hosts file of its own: git's own way to resolve a name is unknown to git-lfs. */
    private List<String> gitPush(Path repository, String remote) {
        List<String> command = new ArrayList<>(List.of(
                "unshare", "--mount", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\"", hosts.toString()));
        command.addAll(
                List.of("git", "-C", repository.toString(), "-c", "safe.directory=*", "-c", "credential.helper="));
        command.addAll(List.of("push", "--quiet", remote, "HEAD:refs/heads/main"));
        return command;
    }

    void cancelPipeline(long project, long pipeline) {
        api.post("/api/v4/projects/%d/pipelines/%d/cancel".formatted(project, pipeline), Map.of());
    }

    /** All jobs of a pipeline, retried ones included, by id. */
    public List<JsonNode> jobs(long project, long pipeline) {
        List<JsonNode> jobs = new ArrayList<>();
        for (int page = 1; jobs.size() == (page - 1) * PER_PAGE; page++) {
            api.get("/api/v4/projects/%d/pipelines/%d/jobs?per_page=%d&page=%d&include_retried=true"
                            .formatted(project, pipeline, PER_PAGE, page))
                    .forEach(jobs::add);
        }
        jobs.sort((a, b) -> Long.compare(a.get("id").asLong(), b.get("id").asLong()));
        return jobs;
    }

    public String log(long project, long job) {
        return api.text("/api/v4/projects/%d/jobs/%d/trace".formatted(project, job));
    }

    public void cancel(long project, long job) {
        api.post("/api/v4/projects/%d/jobs/%d/cancel".formatted(project, job), Map.of());
    }

    void cancelByForce(long project, long job) {
        api.post("/api/v4/projects/%d/jobs/%d/cancel".formatted(project, job), Map.of("force", true));
    }

    void retry(long project, long job) {
        api.post("/api/v4/projects/%d/jobs/%d/retry".formatted(project, job), Map.of());
    }

    /** By the simulated GitLab's own admin path. */
    void drop(long job, String reason) {
        api.post("/-/simulated-gitlab/admin/jobs/%d/drop".formatted(job), Map.of("reason", reason));
    }

    void deletePipeline(long project, long pipeline) {
        api.delete("/api/v4/projects/%d/pipelines/%d".formatted(project, pipeline));
    }

    /** Runners of all projects, at most 100. */
    int runnersInAll() {
        return api.get("/api/v4/runners/all?type=project_type&per_page=100").size();
    }

    /** Every token that the simulated GitLab has issued to jobs, runners and users, by its own admin path. */
    List<String> tokensIssued() {
        List<String> tokens = new ArrayList<>();
        api.get("/-/simulated-gitlab/admin/tokens")
                .forEach(token -> tokens.add(token.path("token").asText()));
        return tokens;
    }
}
