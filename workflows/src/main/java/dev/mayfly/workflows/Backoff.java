package dev.mayfly.workflows;

import java.time.Duration;

/** Pauses that double up to a limit. Pure, so a replay gives the same ones. */
final class Backoff {

    private final Duration first;
    private final Duration most;
    private Duration next;

    Backoff(Duration first, Duration most) {
        this.first = first;
        this.most = most;
        this.next = first;
    }

    /** How long to pause this time. */
    Duration next() {
        Duration now = next;
        Duration doubled = now.multipliedBy(2);
        next = doubled.compareTo(most) < 0 ? doubled : most;
        return now.compareTo(most) < 0 ? now : most;
    }

    /** Things go well again: the next pause is the first one. */
    void reset() {
        next = first;
    }
}
