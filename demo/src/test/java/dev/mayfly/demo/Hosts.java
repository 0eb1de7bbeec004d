package dev.mayfly.demo;

import java.time.Duration;

/** Hosts by name and number, and absences of a stated length. */
final class Hosts {

    private Hosts() {}

    /** 2 for {@code host-2}. */
    static int number(String hostId) {
        return Integer.parseInt(hostId.substring(hostId.lastIndexOf('-') + 1));
    }

    /** The length of an absence is what such a test is about; nothing is waited for by it. */
    static void stayAway(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
