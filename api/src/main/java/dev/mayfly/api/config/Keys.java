package dev.mayfly.api.config;

import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.dropwizard.core.Configuration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.commons.text.similarity.LevenshteinDistance;
import org.jspecify.annotations.Nullable;

/**
 * Compares the keys of a file with those that our configuration's records know, before they are bound: Jackson would
 * stop at the first one, and call a misspelt key a missing one. Dropwizard's own parts are left to Dropwizard.
 */
final class Keys {

    private static final LevenshteinDistance DISTANCE = LevenshteinDistance.getDefaultInstance();

    private final ObjectMapper mapper;
    private final JavaType root;

    Keys(ObjectMapper mapper, Class<?> root) {
        this.mapper = mapper;
        this.root = mapper.constructType(root);
    }

    private interface Visitor {
        void visit(ObjectNode node, Map<String, BeanPropertyDefinition> known, String path);
    }

    /**
     * Takes unknown keys out of the tree; a line for each, with the nearest known key. If that one is absent, the value is
     * taken for its value, so that what else is wrong can be found too.
     */
    List<String> removeUnknown(JsonNode tree) {
        List<String> problems = new ArrayList<>();
        walk(tree, root, "", (node, known, path) -> {
            List<String> names = new ArrayList<>();
            node.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                if (!known.containsKey(name)) {
                    JsonNode value = node.remove(name);
                    String nearest = nearest(name, known.keySet());
                    problems.add("%s%s: unknown key; %s"
                            .formatted(
                                    path,
                                    name,
                                    nearest == null
                                            ? "remove it, the keys here are " + String.join(", ", known.keySet())
                                            : "did you mean " + nearest + "?"));
                    if (nearest != null && !node.has(nearest)) {
                        node.set(nearest, value);
                    }
                }
            }
        });
        return problems;
    }

    /** A line for each required key that is not there. */
    List<String> missing(JsonNode tree) {
        List<String> problems = new ArrayList<>();
        walk(
                tree,
                root,
                "",
                (node, known, path) -> known.forEach((name, property) -> {
                    if (property.isRequired() && !node.hasNonNull(name)) {
                        problems.add(path + name + ": missing; add it, config/api.yml shows how");
                    }
                }));
        return problems;
    }

    private void walk(JsonNode node, JavaType type, String path, Visitor visitor) {
        if (type.isCollectionLikeType()) {
            String list = path.isEmpty() ? "" : path.substring(0, path.length() - 1);
            for (int i = 0; node.isArray() && i < node.size(); i++) {
                walk(node.get(i), type.getContentType(), "%s[%d].".formatted(list, i), visitor);
            }
            return;
        }
        if (!(node instanceof ObjectNode object) || !isOurs(type)) {
            return;
        }
        BeanDescription description = mapper.getDeserializationConfig().introspect(type);
        Map<String, BeanPropertyDefinition> known = description.findProperties().stream()
                .collect(Collectors.toMap(BeanPropertyDefinition::getName, one -> one, (a, b) -> a, TreeMap::new));
        visitor.visit(object, known, path);
        known.forEach((name, property) -> {
            if (object.has(name)) {
                walk(object.get(name), property.getPrimaryType(), path + name + ".", visitor);
            }
        });
    }

    private static boolean isOurs(JavaType type) {
        Class<?> raw = type.getRawClass();
        return Configuration.class.isAssignableFrom(raw)
                || (raw.isRecord() && raw.getPackage().equals(Keys.class.getPackage()));
    }

    private static @Nullable String nearest(String name, Collection<String> known) {
        return known.stream()
                .min(Comparator.comparingInt(one -> distance(name, one)))
                .filter(one -> distance(name, one) <= Math.max(1, name.length() / 2))
                .orElse(null);
    }

    private static int distance(String a, String b) {
        return DISTANCE.apply(a.toLowerCase(Locale.ROOT), b.toLowerCase(Locale.ROOT));
    }
}
