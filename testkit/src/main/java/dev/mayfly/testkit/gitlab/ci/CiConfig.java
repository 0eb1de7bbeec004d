package dev.mayfly.testkit.gitlab.ci;

import dev.mayfly.testkit.gitlab.ci.JobSeed.Need;
import dev.mayfly.testkit.gitlab.ci.JobSeed.YamlVariable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A commit's {@code .gitlab-ci.yml} as the jobs of one pipeline. Throws {@link CiConfigException} with GitLab's words. */
public final class CiConfig {
    public static final String FILE = ".gitlab-ci.yml";

    private static final Set<String> GLOBAL_KEYS = Set.of(
            "default",
            "include",
            "stages",
            "types",
            "variables",
            "workflow",
            "spec",
            "image",
            "services",
            "before_script",
            "after_script",
            "cache",
            "pages_domain");
    private static final List<String> DEFAULT_KEYS = List.of(
            "image",
            "services",
            "before_script",
            "after_script",
            "artifacts",
            "cache",
            "tags",
            "retry",
            "timeout",
            "interruptible",
            "hooks",
            "id_tokens");

    private final Map<String, @Nullable Object> config;
    private final Rules rules;
    private final List<String> stages;
    private final UnaryOperator<Map<String, String>> withPredefined;

    /**
     * @param withPredefined adds to the variables of YAML what outranks or completes them for rules: predefined ones and
     *     the project's
     */
    public CiConfig(
            CommitFiles files,
            String ref,
            boolean tag,
            String source,
            UnaryOperator<Map<String, String>> withPredefined) {
        this.config = new ConfigAssembler(files).assemble(FILE);
        this.rules = new Rules(files, ref, tag, source);
        this.withPredefined = withPredefined;
        List<String> given = Yaml.texts(config.get("stages"));
        List<String> all = new ArrayList<>(List.of(".pre"));
        all.addAll(given.isEmpty() ? List.of("build", "test", "deploy") : given);
        all.add(".post");
        this.stages = all;
    }

    public PipelineSeed seed() {
        List<YamlVariable> globals = JobReader.variables("root", config.get("variables"));
        RuleOutcome workflow = rules.evaluate(Yaml.map(config.get("workflow")).get("rules"), variables(globals));
        List<YamlVariable> widened = new ArrayList<>(globals);
        widened.addAll(JobReader.variables("workflow", workflow.variables()));
        Map<String, List<JobSeed>> byJob = new LinkedHashMap<>();
        Set<String> known = new LinkedHashSet<>();
        jobs().forEach((name, keys) -> {
            known.add(name);
            List<JobSeed> seeds = seeds(name, keys, widened);
            if (!seeds.isEmpty()) {
                byJob.put(name, seeds);
            }
        });
        if (known.isEmpty()) {
            throw new CiConfigException("jobs config should contain at least one visible job");
        }
        if (!workflow.included()) {
            return new PipelineSeed(stages, List.of());
        }
        List<JobSeed> result = new ArrayList<>();
        byJob.values().forEach(seeds -> seeds.forEach(seed -> result.add(withResolvedNeeds(seed, byJob, known))));
        result.sort(Comparator.comparingInt(JobSeed::stageIndex));
        Set<String> used = new LinkedHashSet<>();
        result.forEach(seed -> used.add(seed.stage()));
        return new PipelineSeed(stages.stream().filter(used::contains).toList(), result);
    }

    private Map<String, Map<String, @Nullable Object>> jobs() {
        Map<String, Map<String, @Nullable Object>> jobs = new LinkedHashMap<>();
        config.forEach((name, value) -> {
            if (GLOBAL_KEYS.contains(name) || name.startsWith(".")) {
                return;
            }
            if (!(value instanceof Map)) {
                throw new CiConfigException(
                        "jobs " + name + " config should implement the script:, run:, or trigger: keyword");
            }
            jobs.put(name, withDefaults(Yaml.map(value)));
        });
        return jobs;
    }

    private Map<String, @Nullable Object> withDefaults(Map<String, @Nullable Object> job) {
        Object inherit = Yaml.map(job.get("inherit")).get("default");
        Map<String, @Nullable Object> defaults = Yaml.map(config.get("default"));
        Map<String, @Nullable Object> result = new LinkedHashMap<>(job);
        for (String key : DEFAULT_KEYS) {
            boolean inherited = inherit == null
                    || Boolean.TRUE.equals(inherit)
                    || (inherit instanceof List<?> list && list.contains(key));
            Object value = defaults.containsKey(key) ? defaults.get(key) : config.get(key);
            if (!result.containsKey(key) && inherited && value != null) {
                result.put(key, value);
            }
        }
        return result;
    }

    private List<JobSeed> seeds(String name, Map<String, @Nullable Object> keys, List<YamlVariable> globals) {
        JobReader reader = new JobReader(name, keys, stages);
        List<YamlVariable> inherited = inheritedVariables(keys, globals);
        List<JobSeed> result = new ArrayList<>();
        for (Matrix.Instance instance : Matrix.instances(name, keys.get("parallel"))) {
            List<YamlVariable> visible = new ArrayList<>(inherited);
            visible.addAll(reader.variables());
            instance.variables().forEach((key, value) -> visible.add(new YamlVariable(key, value, false)));
            Map<String, String> variables = variables(visible);
            RuleOutcome outcome = rules.evaluate(keys.get("rules"), variables);
            boolean included = keys.get("rules") != null
                    ? outcome.included()
                    : rules.includedByOnlyExcept(keys.get("only"), keys.get("except"), variables);
            if (included && !"never".equals(Yaml.text(keys.get("when")))) {
                result.add(reader.seed(instance, outcome, inherited));
            }
        }
        return result;
    }

    private static List<YamlVariable> inheritedVariables(
            Map<String, @Nullable Object> keys, List<YamlVariable> globals) {
        Object inherit = Yaml.map(keys.get("inherit")).get("variables");
        if (Boolean.FALSE.equals(inherit)) {
            return List.of();
        }
        return inherit instanceof List<?> list
                ? globals.stream().filter(one -> list.contains(one.key())).toList()
                : globals;
    }

    private Map<String, String> variables(List<YamlVariable> yaml) {
        Map<String, String> result = new LinkedHashMap<>();
        yaml.forEach(one -> result.put(one.key(), one.value()));
        return withPredefined.apply(result);
    }

    /** A need of a parallel job means all of its instances; one that is not in the pipeline must be optional. */
    private static JobSeed withResolvedNeeds(JobSeed seed, Map<String, List<JobSeed>> byJob, Set<String> known) {
        List<Need> needs = seed.needs();
        List<String> dependencies = seed.dependencies();
        List<Need> resolved = needs == null ? null : new ArrayList<>();
        if (needs != null && resolved != null) {
            for (Need need : needs) {
                List<String> names = instanceNames(need.job(), byJob);
                if (names.isEmpty() && !known.contains(need.job()) && !need.optional()) {
                    throw new CiConfigException(seed.name() + " job: undefined need: " + need.job());
                }
                if (names.isEmpty() && !need.optional()) {
                    throw new CiConfigException(
                            "'" + seed.name() + "' job needs '" + need.job() + "' job, but '" + need.job()
                                    + "' does not exist in the pipeline. This might be because of the only, except, or rules keywords."
                                    + " To need a job that sometimes does not exist in the pipeline, use needs:optional.");
                }
                names.forEach(name -> resolved.add(new Need(name, need.artifacts(), need.optional())));
            }
        }
        List<String> dependencyNames = dependencies == null ? null : new ArrayList<>();
        if (dependencies != null && dependencyNames != null) {
            for (String dependency : dependencies) {
                if (!known.contains(dependency)) {
                    throw new CiConfigException(seed.name() + " job: undefined dependency: " + dependency);
                }
                dependencyNames.addAll(instanceNames(dependency, byJob));
            }
        }
        return seed.with(resolved, dependencyNames);
    }

    private static List<String> instanceNames(String job, Map<String, List<JobSeed>> byJob) {
        List<JobSeed> seeds = byJob.getOrDefault(job, List.of());
        if (!seeds.isEmpty()) {
            return seeds.stream().map(JobSeed::name).toList();
        }
        // An instance may be named itself: "test: [a, b]".
        return byJob.values().stream()
                .flatMap(List::stream)
                .map(JobSeed::name)
                .filter(job::equals)
                .toList();
    }
}
