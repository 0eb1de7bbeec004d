package dev.mayfly.activities.capacity;

import java.time.Instant;
import java.util.List;

/**
 * A runner that GitLab has not confirmed as removed.
 *
 * @param slotReleased whether its slot is released: a leftover
 */
public record RunnerView(
        String slotId,
        String instance,
        long projectId,
        long runnerId,
        List<String> tags,
        boolean slotReleased,
        Instant createdAt) {}
