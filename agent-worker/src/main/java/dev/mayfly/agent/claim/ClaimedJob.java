package dev.mayfly.agent.claim;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A job that GitLab handed to a slot: its answer byte for byte, and the few things in it that the broker needs. Fields it
 * doesn't know, and any that are missing but id and token, never lose a job.
 */
final class ClaimedJob {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final byte[] payload;
    private final long id;
    private final long projectId;
    private final String token;
    private final Set<Long> dependencies;
    private final Set<String> failureReasons;
    private final List<String> secrets;

    private ClaimedJob(byte[] payload, JsonNode json) throws IOException {
        this.payload = payload;
        this.id = json.path("id").asLong();
        this.token = json.path("token").asText();
        if (id <= 0 || token.isEmpty()) {
            throw new IOException("GitLab's answer carries no job: id or token is missing");
        }
        this.projectId = json.path("job_info").path("project_id").asLong();
        this.dependencies = ids(json.path("dependencies"));
        this.failureReasons = texts(json.path("features").path("failure_reasons"));
        this.secrets = secrets(json, token);
    }

    /** @throws IOException if this is no job; the message holds nothing of the payload */
    static ClaimedJob parse(byte[] payload) throws IOException {
        JsonNode json;
        try {
            json = JSON.readTree(payload);
        } catch (IOException e) {
            // Jackson's message would quote the payload, which holds secrets.
            throw new IOException("GitLab's answer to a request for a job is no JSON, " + payload.length + " bytes");
        }
        return new ClaimedJob(payload, json);
    }

    /** What the guest's runner gets: not one byte differs from GitLab's answer. Not to be changed. */
    byte[] payload() {
        return payload;
    }

    long id() {
        return id;
    }

    long projectId() {
        return projectId;
    }

    String token() {
        return token;
    }

    /** The jobs whose artifacts this one may download. */
    Set<Long> dependencies() {
        return dependencies;
    }

    /** {@code reason} if this server knows it, else the general one. */
    String supportedReason(String reason) {
        return failureReasons.isEmpty() || failureReasons.contains(reason) ? reason : "runner_system_failure";
    }

    /** Everything that must not show in a log, longest first, so that a secret within another leaves no rest. */
    List<String> secrets() {
        return secrets;
    }

    @Override
    public String toString() {
        return "job " + id + " of project " + projectId;
    }

    private static Set<Long> ids(JsonNode array) {
        Set<Long> ids = new HashSet<>();
        array.forEach(each -> ids.add(each.path("id").asLong()));
        return Collections.unmodifiableSet(ids);
    }

    private static Set<String> texts(JsonNode array) {
        Set<String> texts = new HashSet<>();
        array.forEach(each -> texts.add(each.asText()));
        return Collections.unmodifiableSet(texts);
    }

    private static List<String> secrets(JsonNode json, String token) {
        Set<String> found = new LinkedHashSet<>();
        found.add(token);
        json.path("variables").forEach(variable -> {
            if (variable.path("masked").asBoolean()) {
                found.add(variable.path("value").asText());
            }
        });
        json.path("credentials").forEach(each -> found.add(each.path("password").asText()));
        json.path("dependencies").forEach(each -> found.add(each.path("token").asText()));
        return found.stream()
                .flatMap(each -> Stream.concat(Stream.of(each), each.lines()))
                .filter(each -> !each.isBlank())
                .distinct()
                .sorted(Comparator.comparingInt(String::length).reversed())
                .toList();
    }
}
