package dev.mayfly.activities.capacity;

import dev.mayfly.activities.placement.Request;

/**
 * A job at its place in the queue, which is by level, then rank, then place.
 *
 * @param project what its fair share is counted by
 * @param start in virtual time
 * @param promoted whether it comes before all others because it waited for so long
 */
record QueuedJob(
        Request request,
        String project,
        int priority,
        double start,
        boolean promoted,
        int level,
        double rank,
        long place) {}
