package dev.mayfly.activities.capacity.exchange;

/**
 * Something that can happen next.
 *
 * @param words what it is, for the story of a failed run
 * @param transaction whether it is one transaction, in which the control plane may die
 */
record Step(String words, boolean transaction, Runnable run) {

    static Step of(String words, Runnable run) {
        return new Step(words, false, run);
    }

    static Step transaction(String words, Runnable run) {
        return new Step(words, true, run);
    }
}
