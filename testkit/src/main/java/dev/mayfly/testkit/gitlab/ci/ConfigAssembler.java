package dev.mayfly.testkit.gitlab.ci;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** From files to one map: {@code include: local}, {@code !reference}, {@code extends}. */
final class ConfigAssembler {
    private static final int MAX_DEPTH = 11;
    private static final int MAX_INCLUDES = 150;

    private final CommitFiles files;
    private int includes;

    ConfigAssembler(CommitFiles files) {
        this.files = files;
    }

    Map<String, @Nullable Object> assemble(String mainFile) {
        String text = files.read(mainFile).orElseThrow(() -> new CiConfigException("Missing CI config file"));
        Map<String, @Nullable Object> merged = withIncludes(Yaml.load(text));
        Map<String, @Nullable Object> referenced = Yaml.map(dereference(merged, merged, 0));
        Map<String, @Nullable Object> extended = new LinkedHashMap<>();
        referenced.forEach((name, value) ->
                extended.put(name, value instanceof Map ? extend(name, referenced, new ArrayList<>()) : value));
        return extended;
    }

    private Map<String, @Nullable Object> withIncludes(Map<String, @Nullable Object> config) {
        Object include = config.remove("include");
        Map<String, @Nullable Object> merged = new LinkedHashMap<>();
        List<Object> all = new ArrayList<>();
        if (include instanceof List<?> list) {
            all.addAll(list);
        } else if (include != null) {
            all.add(include);
        }
        for (Object one : all) {
            for (String path : localPaths(one)) {
                if (++includes > MAX_INCLUDES) {
                    throw new CiConfigException("Maximum of " + MAX_INCLUDES + " nested includes are allowed!");
                }
                String text = files.read(path)
                        .orElseThrow(() -> new CiConfigException("Local file `" + path + "` does not exist!"));
                merged = Yaml.deepMerge(merged, withIncludes(Yaml.load(text)));
            }
        }
        return Yaml.deepMerge(merged, config);
    }

    private List<String> localPaths(Object include) {
        Object local = include instanceof String ? include : Yaml.map(include).get("local");
        if (!(local instanceof String path) || path.startsWith("http")) {
            throw new CiConfigException("include: SimulatedGitLab reads only `include: local`, not `" + include + "`");
        }
        String relative = path.startsWith("/") ? path.substring(1) : path;
        if (!relative.contains("*")) {
            return List.of(relative);
        }
        return files.list().stream()
                .filter(file -> Globs.anyMatches(List.of(relative), List.of(file)))
                .sorted()
                .toList();
    }

    private static @Nullable Object dereference(@Nullable Object value, Map<String, @Nullable Object> root, int depth) {
        if (value instanceof Yaml.Reference reference) {
            if (depth > MAX_DEPTH) {
                throw new CiConfigException("!reference " + reference.path() + " is nested too deeply");
            }
            Object found = root;
            for (String step : reference.path()) {
                Map<String, @Nullable Object> level = Yaml.map(found);
                if (!level.containsKey(step)) {
                    throw new CiConfigException("!reference " + reference.path() + " could not be found");
                }
                found = level.get(step);
            }
            return dereference(found, root, depth + 1);
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, @Nullable Object> result = new LinkedHashMap<>();
            map.forEach((key, inner) -> result.put(String.valueOf(key), dereference(inner, root, depth)));
            return result;
        }
        if (value instanceof List<?> list) {
            List<@Nullable Object> result = new ArrayList<>();
            list.forEach(inner -> result.add(dereference(inner, root, depth)));
            return result;
        }
        return value;
    }

    private static Map<String, @Nullable Object> extend(
            String name, Map<String, @Nullable Object> config, List<String> path) {
        Map<String, @Nullable Object> own = Yaml.map(config.get(name));
        Object parents = own.remove("extends");
        if (path.contains(name)) {
            throw new CiConfigException(name + ": circular dependency detected in `extends`");
        }
        if (path.size() >= MAX_DEPTH) {
            throw new CiConfigException(name + ": nesting too deep in `extends`");
        }
        List<String> deeper = new ArrayList<>(path);
        deeper.add(name);
        Map<String, @Nullable Object> base = new LinkedHashMap<>();
        for (String parent : Yaml.texts(parents)) {
            if (!(config.get(parent) instanceof Map)) {
                throw new CiConfigException(name + ": unknown keys in `extends` (" + parent + ")");
            }
            base = Yaml.deepMerge(base, extend(parent, config, deeper));
        }
        return Yaml.deepMerge(base, own);
    }
}
