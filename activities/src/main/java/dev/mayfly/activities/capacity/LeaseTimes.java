package dev.mayfly.activities.capacity;

import java.time.Duration;

/**
 * When a silent host is given up. Silence counts only while the control plane itself was up.
 *
 * @param renewEvery how often agents renew
 * @param suspectAfter no grants from then on
 * @param lostAfter epoch + 1 from then on
 * @param fenceAfter when an agent kills its unclaimed VMs; less than {@code lostAfter}
 * @param longestTick a longer pause between two ticks counts as "the control plane was down" and not as silence
 */
public record LeaseTimes(
        Duration renewEvery, Duration suspectAfter, Duration lostAfter, Duration fenceAfter, Duration longestTick) {

    public LeaseTimes {
        if (renewEvery.compareTo(suspectAfter) >= 0
                || suspectAfter.compareTo(lostAfter) > 0
                || fenceAfter.compareTo(lostAfter) >= 0) {
            throw new IllegalArgumentException(
                    "lease times must rise: renewEvery %s < suspectAfter %s <= lostAfter %s, fenceAfter %s < lostAfter"
                            .formatted(renewEvery, suspectAfter, lostAfter, fenceAfter));
        }
    }

    /** What production uses. */
    public static LeaseTimes defaults() {
        return new LeaseTimes(
                Duration.ofSeconds(10),
                Duration.ofSeconds(30),
                Duration.ofSeconds(120),
                Duration.ofSeconds(90),
                Duration.ofSeconds(10));
    }
}
