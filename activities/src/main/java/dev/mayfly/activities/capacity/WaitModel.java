package dev.mayfly.activities.capacity;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * How long jobs will wait, learnt from how long others did. Pure.
 *
 * <p>A {@link #guess} knows how much is ahead, how much runs and for how long slots lived lately, but not which sizes fit
 * beside each other, whose turn comes first and how the day goes on. So guesses are corrected by how far off they were
 * lately, by a factor that half of them needed, and one that nine in ten needed (split conformal prediction). That quantile
 * is moved a little with every job, up if its bound did not hold and down if it did, so that nine in ten bounds hold in the
 * long run even where the fleet's habits change (Gibbs and Candès, <i>Adaptive Conformal Inference Under Distribution
 * Shift</i>, 2021).
 */
final class WaitModel {

    /** Fewer say too little: then nobody knows. */
    static final int LEAST = 30;
    /** More would be of another time of the day. */
    private static final int LATELY = 100;

    private static final double MISSES = 0.1;
    private static final double STEP = 0.02;
    private static final double LOWEST = 0.5;
    private static final double HIGHEST = 0.99;

    private final double[] lately;
    private final double level;

    /**
     * A guess, in seconds.
     *
     * @param actual how long the job waited
     */
    record Past(double guess, double actual) {}

    /**
     * Learns.
     *
     * @param ended jobs that got their slots, in the order in which they did
     * @param waiting jobs that wait still, with how long they have
     */
    WaitModel(List<Past> ended, List<Past> waiting) {
        List<Double> ratios = new ArrayList<>();
        double quantile = 1 - MISSES;
        for (Past past : ended) {
            if (ratios.size() >= LEAST) {
                quantile = moved(quantile, past, sorted(ratios));
            }
            ratios.add(past.actual() / past.guess());
        }
        if (ratios.size() >= LEAST) {
            // Whoever has waited for longer than its bound already is known to be wrong.
            for (Past past : waiting) {
                double[] sorted = sorted(ratios);
                if (past.actual() > past.guess() * at(sorted, quantile)) {
                    quantile = moved(quantile, past, sorted);
                    ratios.add(past.actual() / past.guess());
                }
            }
        }
        this.lately = sorted(ratios);
        this.level = quantile;
    }

    /**
     * Seconds until so much has been freed as is ahead of a job and needed by itself.
     *
     * @param aheadMilliCpus of all that come before it, and its own
     * @param busyMilliCpus of all slots that live
     * @param slotSeconds how long slots lived lately
     */
    static double guess(long aheadMilliCpus, long busyMilliCpus, double slotSeconds) {
        return Math.max(1, slotSeconds * aheadMilliCpus / Math.max(1000, busyMilliCpus));
    }

    /** What to expect of a job with this guess; empty if too few have waited lately. */
    Optional<Eta> of(double guess) {
        if (lately.length < LEAST) {
            return Optional.empty();
        }
        double median = guess * at(lately, 0.5);
        return Optional.of(new Eta(seconds(median), seconds(Math.max(median, guess * at(lately, level)))));
    }

    private static double moved(double quantile, Past past, double[] sorted) {
        boolean missed = past.actual() > past.guess() * at(sorted, quantile);
        return Math.min(HIGHEST, Math.max(LOWEST, quantile + STEP * ((missed ? 1 : 0) - MISSES)));
    }

    private static double[] sorted(List<Double> ratios) {
        double[] last = ratios.subList(Math.max(0, ratios.size() - LATELY), ratios.size()).stream()
                .mapToDouble(ratio -> ratio)
                .toArray();
        Arrays.sort(last);
        return last;
    }

    private static double at(double[] sorted, double quantile) {
        int index = (int) Math.ceil(quantile * (sorted.length + 1)) - 1;
        return sorted[Math.min(sorted.length - 1, index)];
    }

    private static Duration seconds(double seconds) {
        return Duration.ofSeconds(Math.round(seconds));
    }
}
