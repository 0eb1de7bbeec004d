package dev.mayfly.testkit.gitlab;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The runner's side of the protocol, call by call. */
final class TestRunner {
    private static final Map<String, Boolean> FEATURES = Map.of(
            "two_phase_job_commit", true,
            "cancel_gracefully", true,
            "upload_multiple_artifacts", true,
            "artifacts_exclude", true,
            "return_exit_code", true,
            "fallback_cache_keys", true);

    final long id;
    final String token;
    private final TestGitLab gitlab;
    private final Map<String, Boolean> features = new LinkedHashMap<>(FEATURES);

    TestRunner(TestGitLab gitlab, long id, String token) {
        this.gitlab = gitlab;
        this.id = id;
        this.token = token;
    }

    TestRunner without(String feature) {
        features.remove(feature);
        return this;
    }

    Answer ask(String lastUpdate) {
        return gitlab.json(
                "POST",
                "/api/v4/jobs/request",
                Map.of("RUNNER-TOKEN", token),
                Map.of(
                        "token",
                        token,
                        "system_id",
                        "s_0123456789ab",
                        "last_update",
                        lastUpdate,
                        "info",
                        Map.of("name", "test-runner", "version", "19.1.0", "features", features)));
    }

    /** The job that it gets, or none. */
    Optional<Job> take() {
        Answer answer = ask("");
        if (answer.status() == 204) {
            return Optional.empty();
        }
        if (answer.status() != 201) {
            throw new AssertionError("jobs/request: " + answer.status() + " " + answer.body());
        }
        return Optional.of(new Job(gitlab, answer.json()));
    }

    /** Takes the job that there must be, and says that it runs. */
    Job start() {
        Job job = take().orElseThrow(() -> new AssertionError("no job for runner " + id));
        Answer answer = job.put("running");
        if (answer.status() != 200) {
            throw new AssertionError("PUT running: " + answer.status());
        }
        return job;
    }

    /** A job that it got. */
    record Job(TestGitLab gitlab, JsonNode payload) {
        long id() {
            return payload.path("id").asLong();
        }

        String name() {
            return payload.path("job_info").path("name").asText();
        }

        String token() {
            return payload.path("token").asText();
        }

        Map<String, String> variables() {
            Map<String, String> variables = new LinkedHashMap<>();
            payload.path("variables")
                    .forEach(one -> variables.put(
                            one.path("key").asText(), one.path("value").asText()));
            return variables;
        }

        Answer put(String state) {
            return put(Map.of("state", state));
        }

        Answer put(Map<String, Object> body) {
            Map<String, Object> all = new LinkedHashMap<>(body);
            all.put("token", token());
            return gitlab.json("PUT", "/api/v4/jobs/" + id(), Map.of(), all);
        }

        Answer succeed() {
            return put("success");
        }

        Answer fail(String reason, int exitCode) {
            return put(Map.of("state", "failed", "failure_reason", reason, "exit_code", exitCode));
        }

        Answer log(int from, String text) {
            int end = from + text.getBytes(StandardCharsets.UTF_8).length - 1;
            return gitlab.send(
                    "PATCH",
                    "/api/v4/jobs/" + id() + "/trace",
                    Map.of("JOB-TOKEN", token(), "Content-Range", from + "-" + end, "Content-Type", "text/plain"),
                    text.getBytes(StandardCharsets.UTF_8));
        }

        Answer upload(String query, byte[] content) {
            String head = String.join(
                    "\r\n",
                    "--sep",
                    "Content-Disposition: form-data; name=\"file\"; filename=\"artifacts.zip\"",
                    "Content-Type: application/octet-stream",
                    "",
                    "");
            byte[] start = head.getBytes(StandardCharsets.US_ASCII);
            byte[] tail = "\r\n--sep--\r\n".getBytes(StandardCharsets.US_ASCII);
            byte[] body = new byte[start.length + content.length + tail.length];
            System.arraycopy(start, 0, body, 0, start.length);
            System.arraycopy(content, 0, body, start.length, content.length);
            System.arraycopy(tail, 0, body, start.length + content.length, tail.length);
            return gitlab.send(
                    "POST",
                    "/api/v4/jobs/" + id() + "/artifacts?" + query,
                    Map.of("JOB-TOKEN", token(), "Content-Type", "multipart/form-data; boundary=sep"),
                    body);
        }
    }
}
