package dev.mayfly.testkit.gitlab.ci;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A job as it goes into a pipeline: all of {@code extends}, {@code default}, {@code rules} and {@code parallel} is
 * resolved. Image, services, artifacts and cache have the shape in which a runner gets them.
 *
 * @param script {@code before_script} and {@code script} in one, as a runner runs them
 * @param needs null: waits for all earlier stages
 * @param dependencies null: artifacts of all earlier stages, or of {@code needs}
 */
public record JobSeed(
        String name,
        String stage,
        int stageIndex,
        List<String> script,
        List<String> afterScript,
        List<YamlVariable> variables,
        List<String> tags,
        String when,
        @Nullable Integer startInSeconds,
        boolean allowFailure,
        Set<Integer> allowFailureExitCodes,
        @Nullable List<Need> needs,
        @Nullable List<String> dependencies,
        Retry retry,
        @Nullable Integer timeoutSeconds,
        @Nullable Map<String, @Nullable Object> image,
        List<Map<String, @Nullable Object>> services,
        List<Map<String, @Nullable Object>> artifacts,
        List<Map<String, @Nullable Object>> cache,
        List<Map<String, @Nullable Object>> hooks,
        boolean interruptible,
        @Nullable String resourceGroup,
        @Nullable Environment environment,
        int parallelIndex,
        int parallelTotal) {

    /** The same job with these needs and dependencies. */
    JobSeed with(@Nullable List<Need> newNeeds, @Nullable List<String> newDependencies) {
        return new JobSeed(
                name,
                stage,
                stageIndex,
                script,
                afterScript,
                variables,
                tags,
                when,
                startInSeconds,
                allowFailure,
                allowFailureExitCodes,
                newNeeds,
                newDependencies,
                retry,
                timeoutSeconds,
                image,
                services,
                artifacts,
                cache,
                hooks,
                interruptible,
                resourceGroup,
                environment,
                parallelIndex,
                parallelTotal);
    }

    /** A variable written in YAML; {@code raw} ones ({@code expand: false}) are not expanded. */
    public record YamlVariable(String key, String value, boolean raw) {}

    /** A job that must end before this one starts. */
    public record Need(String job, boolean artifacts, boolean optional) {}

    /** How often GitLab makes a new build after a failure, and for which reasons or exit codes. */
    public record Retry(int max, Set<String> when, Set<Integer> exitCodes) {
        public static final Retry NEVER = new Retry(0, Set.of("always"), Set.of());

        public boolean covers(String failureReason, @Nullable Integer exitCode) {
            return exitCodes.contains(exitCode == null ? -1 : exitCode)
                    || (exitCodes.isEmpty() && when.contains("always"))
                    || when.contains(failureReason);
        }
    }

    /** Where the job deploys to. */
    public record Environment(
            String name,
            @Nullable String url,
            String action,
            @Nullable String tier) {}
}
