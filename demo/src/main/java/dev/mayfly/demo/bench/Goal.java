package dev.mayfly.demo.bench;

/**
 * What a figure should be, and whether it was.
 *
 * @param bound {@code at most} or {@code at least}
 */
record Goal(String text, double measured, String bound, double limit, String unit, boolean met) {

    static Goal atMost(String text, double measured, double limit, String unit) {
        return new Goal(text, rounded(measured), "at most", rounded(limit), unit, measured <= limit);
    }

    static Goal atLeast(String text, double measured, double limit, String unit) {
        return new Goal(text, rounded(measured), "at least", rounded(limit), unit, measured >= limit);
    }

    private static double rounded(double value) {
        return Math.round(value * 100) / 1e2;
    }
}
