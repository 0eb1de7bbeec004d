package dev.mayfly.demo.bench;

/** What a figure should not exceed, and whether it did. */
record Goal(String text, double measured, double limit, String unit, boolean met) {

    static Goal atMost(String text, double measured, double limit, String unit) {
        return new Goal(text, rounded(measured), rounded(limit), unit, measured <= limit);
    }

    private static double rounded(double value) {
        return Math.round(value * 100) / 1e2;
    }
}
