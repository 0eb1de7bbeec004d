package dev.mayfly.agent.vm.simulated;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.mayfly.agent.vm.simulated.PlainHttp.Answer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Plays one job by the runner's protocol, through the relay, without running its script. Its variables say how:
 * {@code SIMULATE_SECONDS} how long it takes (default 0, fractions allowed), {@code SIMULATE_RESULT} how it ends
 * ({@code success}, {@code failed}; default success).
 */
final class SimulatedRunner {

    private static final long RETRY_MILLIS = 200;
    private static final long TOUCH_MILLIS = 5_000;
    private static final String LOG = "Mayfly simulated this job: nothing of its script was run.\n";

    private final PlainHttp relay;
    private final String vmToken;
    private final String systemId;
    private final Consumer<String> console;
    private final ObjectMapper json = JsonMapper.builder().build();

    SimulatedRunner(PlainHttp relay, String vmToken, String systemId, Consumer<String> console) {
        this.relay = relay;
        this.vmToken = vmToken;
        this.systemId = systemId;
        this.console = console;
    }

    /** Plays the VM's one job to its end. */
    void run() throws InterruptedException, IOException {
        JsonNode job = fetch();
        if (job.isMissingNode()) {
            console.accept("no job");
            return;
        }
        long id = job.path("id").asLong();
        String token = job.path("token").asText();
        console.accept("job " + id + " began");
        byte[] log = LOG.getBytes(StandardCharsets.UTF_8);
        int trace = repeat(
                "PATCH",
                "/api/v4/jobs/" + id + "/trace",
                Map.of("JOB-TOKEN", token, "Content-Range", "0-" + (log.length - 1), "Content-Type", "text/plain"),
                log);
        long left = Math.round(Double.parseDouble(variable(job, "SIMULATE_SECONDS", "0")) * 1000);
        while (trace != 403 && left > 0) {
            long step = Math.min(left, TOUCH_MILLIS);
            Thread.sleep(step);
            left -= step;
            trace = left > 0 ? update(id, token, "running") : trace;
        }
        int end = trace == 403 ? trace : update(id, token, variable(job, "SIMULATE_RESULT", "success"));
        console.accept("job %d ended, the last answer was %d".formatted(id, end));
    }

    private JsonNode fetch() throws InterruptedException, IOException {
        ObjectNode request = json.createObjectNode().put("token", vmToken).put("system_id", systemId);
        while (true) {
            Answer answer = repeatUntilAnswered(
                    "POST",
                    "/api/v4/jobs/request",
                    Map.of("Content-Type", "application/json"),
                    json.writeValueAsBytes(request));
            if (answer.status() == 201) {
                return json.readTree(answer.body());
            }
            if (answer.status() != 503) {
                return json.missingNode();
            }
            Thread.sleep(RETRY_MILLIS);
        }
    }

    private int update(long id, String token, String state) throws InterruptedException, IOException {
        ObjectNode body = json.createObjectNode().put("token", token).put("state", state);
        if (state.equals("failed")) {
            body.put("failure_reason", "script_failure").put("exit_code", 1);
        }
        return repeat(
                "PUT", "/api/v4/jobs/" + id, Map.of("Content-Type", "application/json"), json.writeValueAsBytes(body));
    }

    /** Repeats while the answer asks for it, as a runner does. */
    private int repeat(String method, String path, Map<String, String> headers, byte[] body)
            throws InterruptedException {
        while (true) {
            int status = repeatUntilAnswered(method, path, headers, body).status();
            boolean askedToRepeat = status == 429 || status >= 500 || (status == 202 && !method.equals("PATCH"));
            if (!askedToRepeat) {
                return status;
            }
            Thread.sleep(RETRY_MILLIS);
        }
    }

    private Answer repeatUntilAnswered(String method, String path, Map<String, String> headers, byte[] body)
            throws InterruptedException {
        while (true) {
            try {
                return relay.call(method, path, headers, body);
            } catch (IOException e) {
                console.accept("%s %s: %s; trying again".formatted(method, path, e.getMessage()));
                Thread.sleep(RETRY_MILLIS);
            }
        }
    }

    private static String variable(JsonNode job, String name, String otherwise) {
        String value = otherwise;
        for (JsonNode variable : job.path("variables")) {
            if (variable.path("key").asText().equals(name)) {
                value = variable.path("value").asText();
            }
        }
        return value;
    }
}
