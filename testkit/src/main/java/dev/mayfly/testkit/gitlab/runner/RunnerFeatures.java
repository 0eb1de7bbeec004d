package dev.mayfly.testkit.gitlab.runner;

import dev.mayfly.testkit.gitlab.model.Build;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The features that a runner says it has, and those that a build needs (app/models/ci/build.rb, RUNNER_FEATURES). */
final class RunnerFeatures {
    private final Map<?, ?> features;

    RunnerFeatures(Map<String, Object> info) {
        this.features = info.get("features") instanceof Map<?, ?> map ? map : Map.of();
    }

    boolean has(String feature) {
        return Boolean.TRUE.equals(features.get(feature));
    }

    /** A build that needs more than the runner has is dropped as {@code runner_unsupported}. */
    boolean suffice(Build build) {
        boolean reports =
                build.seed().artifacts().stream().anyMatch(one -> !"archive".equals(one.get("artifact_type")));
        boolean excludes = build.seed().artifacts().stream().anyMatch(one -> one.containsKey("exclude"));
        boolean exitCodes = !build.seed().allowFailureExitCodes().isEmpty()
                || !build.seed().retry().exitCodes().isEmpty();
        boolean fallbackKeys = build.seed().cache().stream().anyMatch(one -> !isEmpty(one.get("fallback_keys")));
        return (!reports || has("upload_multiple_artifacts"))
                && (!excludes || has("artifacts_exclude"))
                && (!exitCodes || has("return_exit_code"))
                && (!fallbackKeys || has("fallback_cache_keys"));
    }

    private static boolean isEmpty(@Nullable Object list) {
        return !(list instanceof java.util.List<?> keys) || keys.isEmpty();
    }
}
