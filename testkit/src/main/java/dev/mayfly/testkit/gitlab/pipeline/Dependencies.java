package dev.mayfly.testkit.gitlab.pipeline;

import dev.mayfly.testkit.gitlab.ci.JobSeed;
import dev.mayfly.testkit.gitlab.ci.JobSeed.Need;
import dev.mayfly.testkit.gitlab.model.Build;
import java.util.List;

/** Which builds a build waits for, and whose artifacts it gets. */
final class Dependencies {
    private Dependencies() {}

    /** The builds that it waits for: its needs, or all of earlier stages. */
    static List<Build> prerequisites(Build build) {
        List<Need> needs = build.seed().needs();
        return build.pipeline().latestBuilds().stream()
                .filter(other -> needs == null
                        ? other.seed().stageIndex() < build.seed().stageIndex()
                        : needs.stream().anyMatch(need -> need.job().equals(other.name())))
                .toList();
    }

    /** The builds whose artifacts it gets, finished ones only. */
    static List<Build> artifactSources(Build build) {
        JobSeed seed = build.seed();
        List<String> names = seed.dependencies();
        List<Need> needs = seed.needs();
        return build.pipeline().latestBuilds().stream()
                .filter(other -> other.status().isComplete())
                .filter(other -> {
                    if (needs != null) {
                        return needs.stream()
                                        .anyMatch(need ->
                                                need.artifacts() && need.job().equals(other.name()))
                                && (names == null || names.contains(other.name()));
                    }
                    return other.seed().stageIndex() < seed.stageIndex()
                            && (names == null || names.contains(other.name()));
                })
                .toList();
    }
}
