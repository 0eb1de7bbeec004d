package dev.mayfly.api.webhook;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What a webhook's body says, as far as we need it. Read leniently: GitLab adds fields and changes types between
 * versions, and a body that makes no sense is a reason to write a line, never to fail.
 */
public sealed interface JobEvent {

    /**
     * A job changed its status.
     *
     * @param status GitLab's word, known or not
     */
    record Changed(long projectId, long jobId, String status) implements JobEvent {}

    /** Nothing to act on, and why. */
    record Ignored(String reason) implements JobEvent {}

    /** Reads a body. */
    static JobEvent parse(ObjectMapper json, byte[] body) {
        JsonNode root;
        try {
            root = json.readTree(body);
        } catch (IOException e) {
            return new Ignored("it is no JSON: " + e.getClass().getSimpleName());
        }
        if (root == null || !root.isObject()) {
            return new Ignored("it is no JSON object");
        }
        String kind = root.path("object_kind").asText("");
        if (!kind.equals("build")) {
            return new Ignored("its kind is '%s', and only job events matter".formatted(printable(kind)));
        }
        Long jobId = id(root, "build_id");
        Long projectId = id(root, "project_id");
        String status = root.path("build_status").asText("");
        if (jobId == null || projectId == null || status.isEmpty()) {
            return new Ignored("it has no usable build_id, project_id or build_status");
        }
        return new Changed(projectId, jobId, printable(status));
    }

    private static @Nullable Long id(JsonNode root, String field) {
        JsonNode node = root.path(field);
        return node.isIntegralNumber() && node.canConvertToLong() && node.asLong() > 0 ? node.asLong() : null;
    }

    /** Fit for one line of a log. */
    private static String printable(String text) {
        String line = text.replaceAll("[^\\x21-\\x7e]", "?");
        return line.length() <= 40 ? line : line.substring(0, 40) + "…";
    }
}
