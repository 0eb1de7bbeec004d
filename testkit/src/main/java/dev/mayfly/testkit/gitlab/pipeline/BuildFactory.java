package dev.mayfly.testkit.gitlab.pipeline;

import dev.mayfly.testkit.gitlab.ci.JobSeed;
import dev.mayfly.testkit.gitlab.ci.Variables;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes builds: ids, tokens, tags with their variables expanded. */
public final class BuildFactory {
    private final Instance instance;
    private final PredefinedVariables predefined;

    public BuildFactory(Instance instance, PredefinedVariables predefined) {
        this.instance = instance;
        this.predefined = predefined;
    }

    public Build create(Pipeline pipeline, JobSeed seed) {
        Map<String, String> variables =
                new LinkedHashMap<>(predefined.ofCause(pipeline.project(), pipeline.cause(), pipeline.commit()));
        variables.put("CI_JOB_NAME", seed.name());
        variables.put("CI_JOB_STAGE", seed.stage());
        variables.put("CI_PIPELINE_ID", Long.toString(pipeline.id()));
        seed.variables().forEach(one -> variables.put(one.key(), one.value()));
        pipeline.project().variables().values().forEach(one -> variables.put(one.key(), one.value()));
        pipeline.cause().variables().forEach(one -> variables.put(one.key(), one.value()));
        List<String> tags = seed.tags().stream()
                .map(tag -> Variables.expand(tag, variables))
                .distinct()
                .toList();
        return build(pipeline, seed, tags, 0);
    }

    public Build retry(Build before) {
        return build(before.pipeline(), before.seed(), before.tags(), before.retriesCount() + 1);
    }

    private Build build(Pipeline pipeline, JobSeed seed, List<String> tags, int retriesCount) {
        long id = instance.nextId("build");
        return new Build(
                id,
                pipeline,
                seed,
                tags,
                retriesCount,
                instance.newToken("job", "glcbt-64_"),
                instance.dataFolder().resolve("traces").resolve(id + ".log"),
                instance.now());
    }
}
