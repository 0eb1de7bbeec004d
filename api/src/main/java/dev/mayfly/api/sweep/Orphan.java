package dev.mayfly.api.sweep;

import java.time.Instant;

/**
 * Something that seems to be left over, until a second sweep says so too.
 *
 * @param key the same in every sweep
 * @param what it is and why it is left over, for the log
 * @param since when the thing itself was made, {@link Instant#EPOCH} if nobody knows
 * @param destroys whether its cure removes something that lives; such cures are held back by the brake
 * @param cure puts it right; safe to repeat
 */
record Orphan(String key, String what, Instant since, boolean destroys, Cure cure) {

    /** Puts an orphan right. */
    @FunctionalInterface
    interface Cure {
        void run() throws Exception;
    }
}
