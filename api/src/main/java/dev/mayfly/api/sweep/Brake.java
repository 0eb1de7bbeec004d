package dev.mayfly.api.sweep;

/**
 * Holds the sweeper back when one pass would remove so much that a mistake is likelier than so many orphans.
 *
 * @param count a pass may always remove so many
 * @param percent or this share of what lives, if that is more
 */
record Brake(int count, int percent) {

    /** Whether a pass that would remove so many of what lives must not. */
    boolean holds(int toRemove, int living) {
        return toRemove > Math.max(count, (long) living * percent / 100);
    }
}
