package dev.mayfly.activities.db;

import java.time.Duration;

/** How inbox and outbox wait between attempts, and what they keep of a failure. */
public final class Backoff {

    private static final int LONGEST_SECONDS = 60;
    private static final int MOST_DOUBLINGS = 6;
    private static final int MOST_CHARACTERS = 500;

    private Backoff() {}

    /** 1 s after the first failure, doubling, at most a minute. */
    public static Duration after(int attemptsBefore) {
        return Duration.ofSeconds(Math.min(LONGEST_SECONDS, 1L << Math.min(attemptsBefore, MOST_DOUBLINGS)));
    }

    /** The failure in one bounded line. */
    public static String shortText(Exception failure) {
        String text = String.valueOf(failure).lines().findFirst().orElse("");
        return text.length() <= MOST_CHARACTERS ? text : text.substring(0, MOST_CHARACTERS);
    }
}
