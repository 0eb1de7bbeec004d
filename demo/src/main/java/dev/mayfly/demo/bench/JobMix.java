package dev.mayfly.demo.bench;

import dev.mayfly.activities.placement.Request;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.VmSize;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Jobs as CI has them: many small ones, few large ones, some that want much memory for their CPUs; and hosts of 32 CPUs,
 * 128 GiB and 1 TiB. Durations are log-normal, with a median of 5 minutes and a tenth above 20.
 */
final class JobMix {

    static final Capacity HOST = new Capacity(32_000, 131_072, 1_048_576);

    /** A size and how often it is asked for, in parts of 100. */
    record Part(VmSize size, int percent) {}

    static final List<Part> PARTS = List.of(
            part(1, 2, 14),
            part(2, 4, 30),
            part(2, 8, 16),
            part(2, 16, 4),
            part(4, 8, 16),
            part(4, 16, 8),
            part(8, 16, 6),
            part(8, 32, 3),
            part(16, 32, 2),
            part(16, 64, 1));

    private static final double MEDIAN_SECONDS = 300;
    private static final double SPREAD = 1.08;

    private final Random random;
    private int made;

    JobMix(long seed) {
        random = new Random(seed);
    }

    private static Part part(int cpus, int gib, int percent) {
        return new Part(VmSize.of(cpus * 1000, gib * 1024, 8192), percent);
    }

    VmSize size() {
        int percent = random.nextInt(100);
        for (Part part : PARTS) {
            percent -= part.percent();
            if (percent < 0) {
                return part.size();
            }
        }
        throw new IllegalStateException("the parts are less than 100");
    }

    Duration duration() {
        return Duration.ofMillis((long) (1000 * MEDIAN_SECONDS * Math.exp(SPREAD * random.nextGaussian())));
    }

    /** The next job. */
    Request request(@Nullable Duration expected) {
        made++;
        return new Request("job-" + made, "gl", "acme/app-" + made % 50, size(), Set.of(), 0, expected);
    }
}
