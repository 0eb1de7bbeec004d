package dev.mayfly.activities.capacity;

import java.time.Duration;

/**
 * How long a job will wait from now on.
 *
 * @param median in half of all cases no longer
 * @param ninety in 9 of 10 cases no longer
 */
public record Eta(Duration median, Duration ninety) {}
