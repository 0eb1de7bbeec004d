package dev.mayfly.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What control plane and agents logged as JSON: a line whose message names a job, VM or host has it as a field. */
final class LogLines {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, Pattern> NAMES = Map.of(
            "job", Pattern.compile("\\bgitlab:[a-z0-9-]+:\\d+:\\d+\\b"),
            "vm", Pattern.compile("\\b[a-z0-9]{5}-\\d+\\b"),
            "host", Pattern.compile("(?<=\\bhost )host-\\d+\\b"));

    private final DemoCluster cluster;

    LogLines(DemoCluster cluster) {
        this.cluster = cluster;
    }

    /** Lines that name something they have no field for. */
    List<String> withoutTheirFields() {
        Set<String> slots = Set.copyOf(Database.texts(cluster, "SELECT id FROM slot"));
        return lines().filter(line -> NAMES.keySet().stream().anyMatch(field -> lacks(line, field, slots)))
                .map(JsonNode::toString)
                .toList();
    }

    /** How many lines have this field. */
    long with(String field) {
        return lines().filter(line -> line.has(field)).count();
    }

    private static boolean lacks(JsonNode line, String field, Set<String> slots) {
        List<String> named = Objects.requireNonNull(NAMES.get(field))
                .matcher(line.path("message").asText())
                .results()
                .map(MatchResult::group)
                .filter(name -> !field.equals("vm") || slots.contains(name))
                .toList();
        return !named.isEmpty() && !named.contains(line.path(field).asText());
    }

    private Stream<JsonNode> lines() {
        List<JsonNode> lines = new ArrayList<>();
        for (String server : List.of("api", "agent-1", "agent-2")) {
            Path log = cluster.files().log(server);
            if (Files.exists(log)) {
                Servers.read(log).lines().filter(line -> line.startsWith("{")).forEach(line -> lines.add(parse(line)));
            }
        }
        return lines.stream();
    }

    private static JsonNode parse(String line) {
        try {
            return JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw new AssertionError("no JSON: " + line, e);
        }
    }
}
