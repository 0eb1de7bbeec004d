package dev.mayfly.demo;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waits for conditions in other processes, by looking. */
public final class Waiting {

    private static final long LOOK_EVERY_MILLIS = 100;

    private Waiting() {}

    /**
     * Returns as soon as the condition holds.
     *
     * @throws AssertionError naming what was waited for, if it does not hold in time
     */
    public static void until(String what, Duration patience, BooleanSupplier condition) {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("waited %d s in vain until %s".formatted(patience.toSeconds(), what));
            }
            try {
                Thread.sleep(LOOK_EVERY_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting until " + what, e);
            }
        }
    }
}
