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

    /** The executor whose flags go with a request for a job: which job comes isn't known yet, and this is what runs. */
    static final Executor ASKED_FOR = Executor.SHELL;

    public RunnerInfo {
        featuresByExecutor = Map.copyOf(featuresByExecutor);
    }

    /** The flags the runner sends with this executor; empty if the image's runner was not recorded with it. */
    public Map<String, Boolean> features(Executor executor) {
        return featuresByExecutor.getOrDefault(executor.name().toLowerCase(Locale.ROOT), Map.of());
    }
}
