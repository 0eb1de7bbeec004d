package dev.mayfly.testkit.gitlab.pipeline;

import dev.mayfly.testkit.gitlab.ci.JobSeed;
import dev.mayfly.testkit.gitlab.model.Build;
import dev.mayfly.testkit.gitlab.model.CiStatus;
import dev.mayfly.testkit.gitlab.model.Instance;
import dev.mayfly.testkit.gitlab.model.Pipeline;
import dev.mayfly.testkit.gitlab.model.Runner;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Moves the builds of a pipeline on: whatever waited for what has just ended becomes pending, manual, scheduled or
 * skipped; then the pipeline's own status follows. Called under the lock after every change.
 */
public final class PipelineProcessing {
    private final Instance instance;
    private final CiEvents events;

    public PipelineProcessing(Instance instance, CiEvents events) {
        this.instance = instance;
        this.events = events;
    }

    public void process(Pipeline pipeline) {
        boolean moved = true;
        while (moved) {
            moved = false;
            for (Build build : pipeline.latestBuilds()) {
                if (build.status() == CiStatus.CREATED) {
                    moved |= move(build);
                }
            }
        }
        CiStatus status = CompositeStatus.of(pipeline.latestBuilds());
        if (!pipeline.builds().isEmpty() && pipeline.become(status, instance.now())) {
            events.pipelineChanged(pipeline);
        }
    }

    /** Lets one build wait for a runner, or for its resource group. */
    public void enqueue(Build build) {
        if (isResourceTaken(build)) {
            build.become(CiStatus.WAITING_FOR_RESOURCE, instance.now());
            return;
        }
        build.enqueue(instance.now());
        List<Runner> able = instance.runners().values().stream()
                .filter(runner -> runner.accepts(build))
                .toList();
        instance.tickQueues(able);
        events.buildChanged(build);
    }

    /** Gives a resource group that has become free to the build that waits for it longest. */
    public void releaseResource(Build ended) {
        String group = ended.seed().resourceGroup();
        if (group == null) {
            return;
        }
        instance.builds().stream()
                .filter(build -> build.project() == ended.project()
                        && build.status() == CiStatus.WAITING_FOR_RESOURCE
                        && group.equals(build.seed().resourceGroup()))
                .findFirst()
                .ifPresent(this::enqueue);
    }

    private boolean move(Build build) {
        JobSeed seed = build.seed();
        List<Build> prerequisites = Dependencies.prerequisites(build);
        boolean needs = seed.needs() != null;
        CiStatus before = prerequisites.isEmpty()
                ? CiStatus.SUCCESS
                : needs ? CompositeStatus.ofNeeds(prerequisites) : CompositeStatus.of(prerequisites);
        if (!before.isComplete()) {
            return false;
        }
        if (!startsAfter(build.when(), needs, before)) {
            build.become(CiStatus.SKIPPED, instance.now());
        } else if (build.when().equals("manual")) {
            build.become(CiStatus.MANUAL, instance.now());
        } else if (build.when().equals("delayed")) {
            long seconds = Objects.requireNonNullElse(seed.startInSeconds(), 0);
            build.schedule(instance.now().plusSeconds(seconds), instance.now());
        } else {
            enqueue(build);
        }
        return true;
    }

    private static boolean startsAfter(String when, boolean needs, CiStatus before) {
        return switch (when) {
            case "always" -> before != CiStatus.CANCELED;
            case "on_failure" -> before == CiStatus.FAILED;
            default -> (needs ? Set.of(CiStatus.SUCCESS) : Set.of(CiStatus.SUCCESS, CiStatus.SKIPPED)).contains(before);
        };
    }

    private boolean isResourceTaken(Build build) {
        String group = build.seed().resourceGroup();
        return group != null
                && instance.builds().stream()
                        .filter(other -> other != build && other.project() == build.project())
                        .filter(other -> group.equals(other.seed().resourceGroup()))
                        .anyMatch(other -> other.status() == CiStatus.PENDING
                                || other.status() == CiStatus.RUNNING
                                || other.status() == CiStatus.CANCELING);
    }
}
