package dev.mayfly.testkit.gitlab.ci;

import dev.mayfly.testkit.gitlab.ci.JobSeed.Environment;
import dev.mayfly.testkit.gitlab.ci.JobSeed.Need;
import dev.mayfly.testkit.gitlab.ci.JobSeed.Retry;
import dev.mayfly.testkit.gitlab.ci.JobSeed.YamlVariable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One job's keys, {@code default} and {@code extends} already merged in, to a {@link JobSeed}. */
final class JobReader {
    private static final Set<String> KEYS = Set.of(
            "script",
            "run",
            "before_script",
            "after_script",
            "stage",
            "tags",
            "image",
            "services",
            "variables",
            "artifacts",
            "cache",
            "needs",
            "dependencies",
            "rules",
            "only",
            "except",
            "when",
            "allow_failure",
            "retry",
            "timeout",
            "parallel",
            "interruptible",
            "resource_group",
            "environment",
            "start_in",
            "coverage",
            "release",
            "hooks",
            "inherit",
            "secrets",
            "id_tokens",
            "pages",
            "publish",
            "trigger",
            "identity",
            "manual_confirmation",
            "dast_configuration",
            "inputs");
    private static final Set<String> WHENS = Set.of("on_success", "on_failure", "always", "manual", "delayed", "never");

    private final String name;
    private final Map<String, @Nullable Object> keys;
    private final List<String> stages;

    JobReader(String name, Map<String, @Nullable Object> keys, List<String> stages) {
        this.name = name;
        this.keys = keys;
        this.stages = stages;
        validate();
    }

    private void validate() {
        Set<String> unknown = new TreeSet<>(keys.keySet());
        unknown.removeAll(KEYS);
        if (!unknown.isEmpty()) {
            throw new CiConfigException(
                    "jobs:" + name + " config contains unknown keys: " + String.join(", ", unknown));
        }
        if (keys.containsKey("trigger") || keys.containsKey("run")) {
            throw new CiConfigException("jobs:" + name + ": SimulatedGitLab has no `trigger` and no `run`");
        }
        if (Yaml.texts(keys.get("script")).isEmpty()) {
            throw new CiConfigException(
                    "jobs:" + name + " config should implement the script:, run:, or trigger: keyword");
        }
        if (!stages.contains(stage())) {
            throw new CiConfigException(name + " job: chosen stage " + stage()
                    + " does not exist; available stages are " + String.join(", ", stages));
        }
        Object tags = keys.get("tags");
        if (tags != null && !(tags instanceof List)) {
            throw new CiConfigException("jobs:" + name + ":tags config should be an array of strings");
        }
        String when = Yaml.text(keys.get("when"));
        if (when != null && !WHENS.contains(when)) {
            throw new CiConfigException(
                    "jobs:" + name + " when should be one of: " + String.join(", ", new TreeSet<>(WHENS)));
        }
    }

    private String stage() {
        String stage = Yaml.text(keys.get("stage"));
        return stage == null ? "test" : stage;
    }

    @Nullable
    Object get(String key) {
        return keys.get(key);
    }

    /** Its variables in YAML, without those of the rule that let it in. */
    List<YamlVariable> variables() {
        return variables("jobs:" + name, keys.get("variables"));
    }

    static List<YamlVariable> variables(String owner, @Nullable Object value) {
        if (value != null && !(value instanceof Map)) {
            throw new CiConfigException(owner + ":variables config should be a hash of key value pairs");
        }
        List<YamlVariable> result = new ArrayList<>();
        Yaml.map(value).forEach((key, inner) -> {
            if (inner instanceof List) {
                throw new CiConfigException(
                        "variable definition must be either a string or a hash (" + owner + ":variables:" + key + ")");
            }
            boolean hash = inner instanceof Map;
            Map<String, @Nullable Object> map = Yaml.map(inner);
            Object plain = hash ? map.get("value") : inner;
            result.add(new YamlVariable(
                    key, plain == null ? "" : String.valueOf(plain), hash && Boolean.FALSE.equals(map.get("expand"))));
        });
        return result;
    }

    /** The job as one of its parallel instances, after its rules have spoken. */
    JobSeed seed(Matrix.Instance instance, RuleOutcome outcome, List<YamlVariable> globals) {
        String when = outcome.when() != null
                ? outcome.when()
                : keys.get("when") != null ? Yaml.text(keys.get("when")) : "on_success";
        Object needs = outcome.needs() != null ? outcome.needs() : keys.get("needs");
        List<String> script = new ArrayList<>(Yaml.texts(keys.get("before_script")));
        script.addAll(Yaml.texts(keys.get("script")));
        return new JobSeed(
                instance.name(),
                stage(),
                stages.indexOf(stage()),
                script,
                Yaml.texts(keys.get("after_script")),
                mergedVariables(instance, outcome, globals),
                Yaml.texts(keys.get("tags")),
                String.valueOf(when),
                seconds("start_in", outcome.startIn() != null ? outcome.startIn() : keys.get("start_in")),
                allowFailure(outcome, String.valueOf(when)),
                allowFailureCodes(outcome),
                needs == null ? null : needs(needs),
                keys.get("dependencies") == null ? null : Yaml.texts(keys.get("dependencies")),
                retry(),
                seconds("timeout", keys.get("timeout")),
                RunnerShapes.image(keys.get("image")),
                RunnerShapes.services(keys.get("services")),
                RunnerShapes.artifacts(name, keys.get("artifacts")),
                RunnerShapes.cache(keys.get("cache")),
                hooks(),
                Boolean.TRUE.equals(keys.get("interruptible")),
                Yaml.text(keys.get("resource_group")),
                environment(),
                instance.index(),
                instance.total());
    }

    private List<YamlVariable> mergedVariables(
            Matrix.Instance instance, RuleOutcome outcome, List<YamlVariable> globals) {
        Map<String, YamlVariable> merged = new LinkedHashMap<>();
        globals.forEach(one -> merged.put(one.key(), one));
        variables().forEach(one -> merged.put(one.key(), one));
        instance.variables().forEach((key, value) -> merged.put(key, new YamlVariable(key, value, false)));
        variables("rules", outcome.variables()).forEach(one -> merged.put(one.key(), one));
        return new ArrayList<>(merged.values());
    }

    private boolean allowFailure(RuleOutcome outcome, String when) {
        Object value = outcome.allowFailure() != null ? outcome.allowFailure() : keys.get("allow_failure");
        if (value instanceof Boolean allowed) {
            return allowed;
        }
        // A manual job may be left alone; one made manual by its rules blocks, unless it says otherwise.
        return value == null && when.equals("manual") && outcome.when() == null;
    }

    private Set<Integer> allowFailureCodes(RuleOutcome outcome) {
        Object value = outcome.allowFailure() != null ? outcome.allowFailure() : keys.get("allow_failure");
        return value instanceof Map ? integers("allow_failure", Yaml.map(value).get("exit_codes")) : Set.of();
    }

    private Retry retry() {
        Object value = keys.get("retry");
        if (value == null) {
            return Retry.NEVER;
        }
        Map<String, @Nullable Object> map = value instanceof Map ? Yaml.map(value) : Map.of("max", value);
        Object max = map.getOrDefault("max", 2);
        if (!(max instanceof Integer count) || count < 0 || count > 2) {
            throw new CiConfigException("jobs:" + name + ":retry max must be an integer between 0 and 2");
        }
        Set<Integer> codes = integers("retry", map.get("exit_codes"));
        List<String> when = Yaml.texts(map.get("when"));
        Set<String> reasons = when.isEmpty() && codes.isEmpty() ? Set.of("always") : new LinkedHashSet<>(when);
        return new Retry(count, reasons, codes);
    }

    private Set<Integer> integers(String key, @Nullable Object value) {
        try {
            return Yaml.texts(value).stream().map(Integer::valueOf).collect(Collectors.toSet());
        } catch (NumberFormatException e) {
            throw new CiConfigException(
                    "jobs:" + name + ":" + key + " exit_codes should be an array of integers or an integer");
        }
    }

    private @Nullable Integer seconds(String key, @Nullable Object value) {
        if (value == null) {
            return null;
        }
        return Durations.parseSeconds(String.valueOf(value)).stream()
                .boxed()
                .findFirst()
                .orElseThrow(() -> new CiConfigException("jobs:" + name + " " + key + " should be a duration"));
    }

    private static List<Need> needs(Object value) {
        List<Need> result = new ArrayList<>();
        List<?> list = value instanceof List<?> all ? all : List.of(value);
        for (Object one : list) {
            if (one instanceof Map) {
                Map<String, @Nullable Object> map = Yaml.map(one);
                if (map.get("job") != null && map.get("pipeline") == null && map.get("project") == null) {
                    result.add(new Need(
                            String.valueOf(map.get("job")),
                            !Boolean.FALSE.equals(map.get("artifacts")),
                            Boolean.TRUE.equals(map.get("optional"))));
                }
            } else {
                result.add(new Need(String.valueOf(one), true, false));
            }
        }
        return result;
    }

    private List<Map<String, @Nullable Object>> hooks() {
        List<Map<String, @Nullable Object>> result = new ArrayList<>();
        Yaml.map(keys.get("hooks"))
                .forEach((hook, script) -> result.add(
                        dev.mayfly.testkit.gitlab.http.Json.object("name", hook, "script", Yaml.texts(script))));
        return result;
    }

    private @Nullable Environment environment() {
        Object value = keys.get("environment");
        if (value == null) {
            return null;
        }
        Map<String, @Nullable Object> map = value instanceof Map ? Yaml.map(value) : Map.of("name", value);
        return new Environment(
                String.valueOf(map.get("name")),
                Yaml.text(map.get("url")),
                String.valueOf(map.getOrDefault("action", "start")),
                Yaml.text(map.get("deployment_tier")));
    }
}
