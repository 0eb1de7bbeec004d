package dev.mayfly.agent.claim;

import dev.mayfly.workflows.job.Executor;
import java.util.Locale;
import java.util.Map;

/**
 * What the runner in an image says about itself, recorded in the image's manifest ({@code runner}) while the image was
 * built. GitLab drops jobs that need a flag that is missing and ignores parts of jobs where a flag is false, so this is
 * never made up.
 *
 * @param featuresByExecutor per executor ({@code shell}, {@code docker}), the flags of {@code info.features}
 */
public record RunnerInfo(
        String name,
        String version,
        String revision,
        String platform,
        String architecture,
        Map<String, Map<String, Boolean>> featuresByExecutor) {

    public RunnerInfo {
        featuresByExecutor = Map.copyOf(featuresByExecutor);
    }

    /** Whether the image's runner was recorded with this executor. */
    public boolean has(Executor executor) {
        return featuresByExecutor.containsKey(name(executor));
    }

    /**
     * The executor whose flags go with a request for a job: which job comes isn't known yet, and docker's flags are
     * those of shell and more.
     */
    Executor askedFor() {
        return has(Executor.DOCKER) ? Executor.DOCKER : Executor.SHELL;
    }

    /** The flags the runner sends with this executor; empty if the image's runner was not recorded with it. */
    public Map<String, Boolean> features(Executor executor) {
        return featuresByExecutor.getOrDefault(name(executor), Map.of());
    }

    private static String name(Executor executor) {
        return executor.name().toLowerCase(Locale.ROOT);
    }
}
