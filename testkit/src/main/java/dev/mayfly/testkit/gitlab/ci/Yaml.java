package dev.mayfly.testkit.gitlab.ci;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.constructor.AbstractConstruct;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/** YAML with GitLab's {@code !reference}, and the reading of what it holds. */
final class Yaml {
    /** {@code !reference [job, key, …]}, before it is resolved. */
    record Reference(List<String> path) {}

    private static final class Constructor extends SafeConstructor {
        Constructor(LoaderOptions options) {
            super(options);
            yamlConstructors.put(new Tag("!reference"), new AbstractConstruct() {
                @Override
                public Object construct(Node node) {
                    List<String> path = new ArrayList<>();
                    constructSequence((SequenceNode) node).forEach(part -> path.add(String.valueOf(part)));
                    return new Reference(path);
                }
            });
        }
    }

    private Yaml() {}

    static Map<String, @Nullable Object> load(String text) {
        try {
            LoaderOptions options = new LoaderOptions();
            options.setMaxAliasesForCollections(500);
            Object loaded = new org.yaml.snakeyaml.Yaml(new Constructor(options)).load(text);
            if (!(loaded instanceof Map)) {
                throw new CiConfigException("Invalid configuration format");
            }
            return map(loaded);
        } catch (YAMLException e) {
            throw new CiConfigException("(<unknown>): " + e.getMessage());
        }
    }

    /** The value as a map with text keys; empty if it is none. */
    static Map<String, @Nullable Object> map(@Nullable Object value) {
        Map<String, @Nullable Object> result = new LinkedHashMap<>();
        if (value instanceof Map<?, ?> map) {
            map.forEach((key, inner) -> result.put(String.valueOf(key), inner));
        }
        return result;
    }

    /** The value as flat list of texts: one value is a list of one. */
    static List<String> texts(@Nullable Object value) {
        List<String> result = new ArrayList<>();
        if (value instanceof List<?> list) {
            list.forEach(one -> result.addAll(texts(one)));
        } else if (value != null) {
            result.add(String.valueOf(value));
        }
        return result;
    }

    static @Nullable String text(@Nullable Object value) {
        return value == null ? null : String.valueOf(value);
    }

    /** Maps are merged deeply, anything else is replaced. */
    static Map<String, @Nullable Object> deepMerge(
            Map<String, @Nullable Object> base, Map<String, @Nullable Object> over) {
        Map<String, @Nullable Object> result = new LinkedHashMap<>(base);
        over.forEach((key, value) -> {
            Object before = result.get(key);
            result.put(key, before instanceof Map && value instanceof Map ? deepMerge(map(before), map(value)) : value);
        });
        return result;
    }
}
