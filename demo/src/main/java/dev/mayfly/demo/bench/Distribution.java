package dev.mayfly.demo.bench;

import java.time.Duration;
import java.util.Collection;

/**
 * How long something took, over many times, in milliseconds. Percentiles are by nearest rank: each is a time that was
 * measured, none is interpolated.
 */
record Distribution(int count, double p50, double p90, double p99, double max) {

    /** Of at least one time. */
    static Distribution of(Collection<Duration> times) {
        if (times.isEmpty()) {
            throw new IllegalArgumentException("nothing was measured");
        }
        double[] sorted =
                times.stream().mapToDouble(Distribution::millis).sorted().toArray();
        return new Distribution(
                sorted.length,
                percentile(sorted, 50),
                percentile(sorted, 90),
                percentile(sorted, 99),
                sorted[sorted.length - 1]);
    }

    private static double percentile(double[] sorted, int percent) {
        int rank = (sorted.length * percent + 99) / 100;
        return sorted[Math.max(0, rank - 1)];
    }

    private static double millis(Duration time) {
        return Math.round(time.toNanos() / 1e4) / 1e2;
    }
}
