package dev.mayfly.testkit.gitlab.pipeline;

import dev.mayfly.testkit.gitlab.ci.CiConfig;
import dev.mayfly.testkit.gitlab.ci.CiConfigException;
import dev.mayfly.testkit.gitlab.ci.CommitFiles;
import dev.mayfly.testkit.gitlab.ci.JobSeed;
import dev.mayfly.testkit.gitlab.ci.PipelineSeed;
import dev.mayfly.testkit.gitlab.git.GitRepository;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiStatus;
import dev.mayfly.testkit.gitlab.model.CiVariable;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.Project;
import dev.mayfly.testkit.gitlab.model.User;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a pipeline out of a commit. Takes the lock itself: reading the commit is done without it. */
public final class PipelineCreation {
    private static final Logger log = LoggerFactory.getLogger(PipelineCreation.class);

    private final Instance instance;
    private final PredefinedVariables predefined;
    private final BuildFactory factory;
    private final PipelineProcessing processing;
    private final CiEvents events;

    public PipelineCreation(
            Instance instance,
            PredefinedVariables predefined,
            BuildFactory factory,
            PipelineProcessing processing,
            CiEvents events) {
        this.instance = instance;
        this.predefined = predefined;
        this.factory = factory;
        this.processing = processing;
        this.events = events;
    }

    /** After a push: a deleted ref, a commit without configuration or one that says {@code [ci skip]} makes none. */
    public void pushed(Project project, User user, String ref, String before, String after) {
        boolean tag = ref.startsWith("refs/tags/");
        String name = ref.substring(ref.indexOf('/', "refs/".length()) + 1);
        GitRepository repository = new GitRepository(project.repository());
        boolean first = instance.locked(() -> adoptDefaultBranch(project, repository, tag, name));
        String message = repository.commit(after).message();
        if (message.contains("[ci skip]") || message.contains("[skip ci]")) {
            log.info("push to {} {}: the commit asks for no pipeline", project.fullPath(), name);
            return;
        }
        log.debug("push to {} {} ({}first)", project.fullPath(), name, first ? "" : "not ");
        create(project, user, "push", name, tag, before, after, List.of());
    }

    /** Empty if the commit has no configuration or its rules leave no job. */
    public Optional<Pipeline> create(
            Project project,
            User user,
            String source,
            String ref,
            boolean tag,
            String before,
            String sha,
            List<CiVariable> variables) {
        GitRepository repository = new GitRepository(project.repository());
        CommitFiles files = repository.files(sha, before);
        if (files.read(CiConfig.FILE).isEmpty()) {
            log.info("{} {} has no {}: no pipeline", project.fullPath(), ref, CiConfig.FILE);
            return Optional.empty();
        }
        boolean isProtected = !tag && ref.equals(project.defaultBranch());
        Pipeline.Cause cause = new Pipeline.Cause(source, ref, tag, isProtected, sha, before, user, variables);
        Pipeline.Commit commit = repository.commit(sha);
        try {
            CiConfig config = new CiConfig(files, ref, tag, source, yaml -> forRules(project, cause, commit, yaml));
            PipelineSeed seed = config.seed();
            if (seed.jobs().isEmpty()) {
                log.info("{} {}: rules leave no job, no pipeline", project.fullPath(), ref);
                return Optional.empty();
            }
            return Optional.of(instance.locked(() -> insert(project, cause, commit, seed)));
        } catch (CiConfigException e) {
            return Optional.of(
                    instance.locked(() -> insertInvalid(project, cause, commit, String.valueOf(e.getMessage()))));
        }
    }

    private boolean adoptDefaultBranch(Project project, GitRepository repository, boolean tag, String name) {
        boolean first = !tag
                && repository.resolve("refs/heads/" + project.defaultBranch()).isEmpty();
        if (first) {
            project.changeDefaultBranch(name);
            repository.setHead(name);
        }
        return first;
    }

    private Map<String, String> forRules(
            Project project, Pipeline.Cause cause, Pipeline.Commit commit, Map<String, String> yaml) {
        Map<String, String> all = new LinkedHashMap<>(predefined.ofCause(project, cause, commit));
        all.putAll(yaml);
        instance.locked(() -> {
            project.variables().values().stream()
                    .filter(one -> !one.protectedOnly() || cause.isProtected())
                    .forEach(one -> all.put(one.key(), one.value()));
            return true;
        });
        cause.variables().forEach(one -> all.put(one.key(), one.value()));
        return all;
    }

    private Pipeline insert(Project project, Pipeline.Cause cause, Pipeline.Commit commit, PipelineSeed seed) {
        Pipeline pipeline =
                new Pipeline(instance.nextId("pipeline"), project, cause, commit, seed.stages(), null, instance.now());
        instance.add(pipeline);
        for (JobSeed job : seed.jobs()) {
            instance.add(factory.create(pipeline, job));
        }
        log.info(
                "pipeline {} of {} {}: {} jobs",
                pipeline.id(),
                project.fullPath(),
                cause.ref(),
                seed.jobs().size());
        for (Build build : pipeline.latestBuilds()) {
            events.buildChanged(build);
        }
        processing.process(pipeline);
        return pipeline;
    }

    private Pipeline insertInvalid(Project project, Pipeline.Cause cause, Pipeline.Commit commit, String error) {
        Pipeline pipeline =
                new Pipeline(instance.nextId("pipeline"), project, cause, commit, List.of(), error, instance.now());
        instance.add(pipeline);
        pipeline.become(CiStatus.FAILED, instance.now());
        log.info(
                "pipeline {} of {} {}: configuration error: {}", pipeline.id(), project.fullPath(), cause.ref(), error);
        events.pipelineChanged(pipeline);
        return pipeline;
    }
}
