package dev.mayfly.activities.placement;

/**
 * The most that may run at once. {@link Integer#MAX_VALUE} is no limit.
 *
 * @param instance the GitLab instance's name
 * @param path a project or a group, with all that is in it; empty for the whole instance
 * @param memoryMib what jobs ask for, MiB; what VMs take beside it does not count
 */
public record Limit(String instance, String path, int jobs, int milliCpus, int memoryMib) {

    /** Whether a project is this one, or is in this group or instance. */
    boolean covers(String inInstance, String projectPath) {
        return instance.equals(inInstance) && Paths.covers(path, projectPath);
    }
}
