package dev.mayfly.activities.capacity;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A runner that GitLab has not confirmed as removed.
 *
 * @param slotReleasedAt when its slot was released, whose runner goes next; null if it is not
 */
public record RunnerView(
        String slotId,
        String instance,
        long projectId,
        long runnerId,
        List<String> tags,
        @Nullable Instant slotReleasedAt,
        Instant createdAt) {}
