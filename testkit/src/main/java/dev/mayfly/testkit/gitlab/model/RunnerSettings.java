package dev.mayfly.testkit.gitlab.model;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a user sets about a runner. */
public record RunnerSettings(
        @Nullable String description,
        @Nullable String maintenanceNote,
        List<String> tags,
        boolean paused,
        boolean locked,
        boolean runUntagged,
        String accessLevel,
        @Nullable Integer maximumTimeout) {
    public RunnerSettings {
        tags = tags.stream().distinct().toList();
    }
}
