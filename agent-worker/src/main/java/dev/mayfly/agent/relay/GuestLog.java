package dev.mayfly.agent.relay;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * What guests can cause to be logged, so that none can fill the host's log: of each guest the first message of a kind, then
 * at most one a minute, which says how many were left out before it.
 */
final class GuestLog {

    private static final long PAUSE_NANOS = Duration.ofMinutes(1).toNanos();
    /** Guests that are remembered; the one that was quiet for longest is forgotten. */
    private static final int GUESTS = 1024;

    private final Logger log;
    private final LongSupplier nanoTime;
    private final Map<String, Told> told = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Told> eldest) {
            return size() > GUESTS;
        }
    };

    private static final class Told {
        private long atNanos;
        private long leftOut;
    }

    /** @param nanoTime a clock as {@link System#nanoTime} */
    GuestLog(Logger log, LongSupplier nanoTime) {
        this.log = log;
        this.nanoTime = nanoTime;
    }

    /**
     * @param guest and kind of message; such messages count together
     * @param message with a placeholder for each argument, as the log takes it
     */
    synchronized void warn(String guest, String message, Object... arguments) {
        long now = nanoTime.getAsLong();
        Told before = told.get(guest);
        if (before != null && now - before.atNanos < PAUSE_NANOS) {
            before.leftOut++;
            return;
        }
        Told next = before == null ? new Told() : before;
        String leftOut = next.leftOut == 0 ? "" : " (" + next.leftOut + " such messages were left out before this one)";
        next.atNanos = now;
        next.leftOut = 0;
        told.put(guest, next);
        log.warn(message + leftOut, arguments);
    }
}
