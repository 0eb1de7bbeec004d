package dev.mayfly.api.sweep;

import java.time.Instant;
import java.util.List;

/**
 * Something that seems to be left over, until a second sweep says so too.
 *
 * @param key the same in every sweep
 * @param what it is and why it is left over, for the log: a message with a placeholder for each of {@code named}
 * @param since when it was made or let go, {@link Instant#EPOCH} if nobody knows
 * @param destroys whether its cure removes something that lives; such cures are held back by the brake
 * @param cure puts it right; safe to repeat
 */
record Orphan(String key, String what, List<Object> named, Instant since, boolean destroys, Cure cure) {

    /** Puts an orphan right. */
    @FunctionalInterface
    interface Cure {
        void run() throws Exception;
    }
}
