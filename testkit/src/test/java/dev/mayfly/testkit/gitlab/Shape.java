package dev.mayfly.testkit.gitlab;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Fields and their JSON types: of payloads together, or out of a table below {@code fidelity/}. */
final class Shape {
    private final Map<String, Set<String>> fields = new TreeMap<>();

    /** The columns field, types, source, version. */
    static Shape ofTable(String name) {
        Shape shape = new Shape();
        try (InputStream in = Shape.class.getResourceAsStream("/fidelity/" + name + ".tsv")) {
            String text =
                    new String(Objects.requireNonNull(in, "no table " + name).readAllBytes(), StandardCharsets.UTF_8);
            for (String line : text.lines().toList()) {
                if (!line.startsWith("#")) {
                    String[] columns = line.split("\t", -1);
                    if (columns.length != 4 || columns[2].isBlank() || columns[3].isBlank()) {
                        throw new AssertionError(name + ": a row wants field, type, source and version: " + line);
                    }
                    shape.fields.put(columns[0], new TreeSet<>(List.of(columns[1].split("\\|", -1))));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return shape;
    }

    Shape add(JsonNode payload) {
        payload.properties().forEach(field -> add(field.getKey(), field.getValue()));
        return this;
    }

    private void add(String path, JsonNode value) {
        fields.computeIfAbsent(path, key -> new TreeSet<>()).add(type(value));
        value.properties().forEach(field -> add(path + "." + field.getKey(), field.getValue()));
        if (value.isArray()) {
            value.forEach(one -> add(path + "[]", one));
        }
    }

    private static String type(JsonNode value) {
        return value.isIntegralNumber() ? "integer" : value.getNodeType().name().toLowerCase(java.util.Locale.ROOT);
    }

    /** What the table has and this has not: fields, or a field's type other than null. */
    List<String> lacks(Shape table) {
        List<String> missing = new ArrayList<>();
        table.fields.forEach((field, types) -> {
            Set<String> here = fields.getOrDefault(field, Set.of());
            boolean seen = types.stream().anyMatch(type -> isIn(type, here));
            boolean nullOnly = seen && types.size() > 1 && here.equals(Set.of("null"));
            if (!seen || nullOnly) {
                missing.add(field + " " + types + ", not " + here);
            }
        });
        return missing;
    }

    /** Fields and types here that the table does not know. */
    List<String> isBeyond(Shape table) {
        List<String> unknown = new ArrayList<>();
        fields.forEach((field, types) -> {
            Set<String> known = table.fields.getOrDefault(field, Set.of());
            types.stream()
                    .filter(type -> !known.contains(type) && !(type.equals("integer") && known.contains("number")))
                    .forEach(type -> unknown.add(field + " " + type));
        });
        return unknown;
    }

    private static boolean isIn(String type, Set<String> types) {
        return types.contains(type) || (type.equals("number") && types.contains("integer"));
    }
}
