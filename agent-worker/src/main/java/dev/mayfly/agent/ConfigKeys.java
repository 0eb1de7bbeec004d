package dev.mayfly.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.agent.AgentConfig.UidRange;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.apache.commons.text.similarity.LevenshteinDistance;
import org.jspecify.annotations.Nullable;

/**
 * Holds a tree of keys to a record type and tells of every key that is unknown, missing, of the wrong form or outside its
 * {@link ConfigRules rule}, each with its full name and the cure.
 */
final class ConfigKeys {

    private final ObjectMapper mapper;
    private final List<String> problems = new ArrayList<>();
    private final Map<String, String> places = new LinkedHashMap<>();

    private ConfigKeys(ObjectMapper mapper) {
        this.mapper = mapper;
    }

    /** What is wrong with the tree. */
    static List<String> problems(ObjectMapper mapper, JsonNode tree, Class<? extends Record> type) {
        ConfigKeys keys = new ConfigKeys(mapper);
        keys.learn(type, "");
        keys.check(tree, type, "");
        return List.copyOf(keys.problems);
    }

    /** Where each name belongs, so that a key in the wrong place can be told its right one. */
    private void learn(Class<?> type, String prefix) {
        for (RecordComponent each : type.getRecordComponents()) {
            String full = prefix + each.getName();
            places.putIfAbsent(each.getName(), full);
            if (isSection(each.getType())) {
                learn(each.getType(), full + ".");
            }
        }
    }

    private static boolean isSection(Class<?> type) {
        return type.isRecord() && type != UidRange.class;
    }

    private void check(JsonNode node, Class<?> type, String prefix) {
        RecordComponent[] components = type.getRecordComponents();
        List<String> names =
                Arrays.stream(components).map(RecordComponent::getName).toList();
        node.fieldNames().forEachRemaining(key -> {
            if (!names.contains(key)) {
                problems.add("unknown key '%s%s'%s".formatted(prefix, key, suggestion(key, names, prefix)));
            }
        });
        for (RecordComponent component : components) {
            JsonNode child = node.path(component.getName());
            String full = prefix + component.getName();
            if (child.isMissingNode() || child.isNull()) {
                if (!component.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
                    problems.add("'%s' is missing; %s".formatted(full, form(component)));
                }
            } else if (!isSection(component.getType())) {
                value(child, component, full);
            } else if (child.isObject()) {
                check(child, component.getType(), full + ".");
            } else {
                problems.add("'%s' must hold keys of its own, such as %s: ..."
                        .formatted(
                                full,
                                component.getType().getRecordComponents()[0].getName()));
            }
        }
    }

    private String suggestion(String key, List<String> names, String prefix) {
        String lower = key.toLowerCase(Locale.ROOT);
        String nearest = names.stream()
                .min(Comparator.comparing((String name) -> !isNear(lower, name.toLowerCase(Locale.ROOT)))
                        .thenComparing(name -> distance(lower, name.toLowerCase(Locale.ROOT))))
                .orElse("");
        if (isNear(lower, nearest.toLowerCase(Locale.ROOT))) {
            return "; did you mean '%s%s'?".formatted(prefix, nearest);
        }
        String elsewhere = places.get(key);
        return elsewhere != null
                ? "; it belongs at '%s'".formatted(elsewhere)
                : "; known here: " + String.join(", ", names);
    }

    private static boolean isNear(String key, String name) {
        return name.startsWith(key) || key.startsWith(name) || distance(key, name) <= Math.max(2, key.length() / 3);
    }

    static int distance(String one, String other) {
        return LevenshteinDistance.getDefaultInstance().apply(one, other);
    }

    private void value(JsonNode node, RecordComponent component, String full) {
        Object value;
        try {
            value = mapper.treeToValue(node, mapper.constructType(component.getGenericType()));
        } catch (JsonProcessingException | IllegalArgumentException e) {
            problems.add("'%s' can't be %s; %s".formatted(full, node, form(component)));
            return;
        }
        ConfigRules.cure(full, Objects.requireNonNull(value))
                .ifPresent(cure -> problems.add("'%s' can't be %s; %s".formatted(full, node, cure)));
    }

    /** What a key wants. */
    private static String form(RecordComponent component) {
        Class<?> type = component.getType();
        if (type.isEnum()) {
            return "write one of "
                    + Arrays.stream(type.getEnumConstants())
                            .map(each -> each.toString().toLowerCase(Locale.ROOT))
                            .collect(Collectors.joining(", "));
        }
        if (type == Duration.class) {
            return "write a duration such as 90s, 5m or 24h";
        }
        if (type == BigDecimal.class) {
            return "write a number such as 4 or 0.5";
        }
        if (type == int.class || type == Integer.class) {
            return "write a whole number";
        }
        if (type == boolean.class) {
            return "write true or false";
        }
        if (type == UidRange.class) {
            return "write <first>-<last> with a first of at least 1000, such as 200000-216383";
        }
        if (type == List.class) {
            return "write a list such as [a, b]";
        }
        return type == Path.class ? "write a path such as /var/lib/mayfly" : "write a text";
    }
}
