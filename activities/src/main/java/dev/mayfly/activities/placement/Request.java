package dev.mayfly.activities.placement;

import dev.mayfly.workflows.job.VmSize;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A job that waits.
 *
 * @param job its key
 * @param instance the GitLab instance's name, for limits
 * @param projectPath {@code group/app}, for limits
 * @param labels all of these its host must have
 * @param passed how often others were granted past it while it was a head, see {@link Placement}
 * @param expected how long it will take its slot; null if nobody knows
 */
public record Request(
        String job,
        String instance,
        String projectPath,
        VmSize size,
        Set<String> labels,
        int passed,
        @Nullable Duration expected) {

    public Request {
        labels = Set.copyOf(labels);
    }

    /** As it is when it has been passed so often. */
    public Request passed(int times) {
        return new Request(job, instance, projectPath, size, labels, times, expected);
    }

    /** What decides which hosts could run it: requests of one shape can take each other's place on any host. */
    record Shape(VmSize size, Set<String> labels) {}

    Shape shape() {
        return new Shape(size, labels);
    }
}
