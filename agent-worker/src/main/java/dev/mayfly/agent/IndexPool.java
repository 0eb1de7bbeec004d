package dev.mayfly.agent;

import java.util.BitSet;

/**
 * Gives each slot a number of its own, by which it has its addresses and user id. Goes round, so that a number is not used
 * again soon: the kernel removes a network's last traces late.
 */
final class IndexPool {

    private final BitSet used = new BitSet();
    private final int size;
    private int next;

    IndexPool(int size) {
        this.size = size;
    }

    /** Takes a certain number, of a slot that had it before the agent's restart. */
    synchronized void reserve(int index) {
        used.set(index);
        next = Math.max(next, index + 1);
    }

    /**
     * A free number, or -1 if all are used.
     */
    synchronized int take() {
        int index = used.nextClearBit(next);
        if (index >= size) {
            index = used.nextClearBit(0);
        }
        if (index >= size) {
            return -1;
        }
        used.set(index);
        next = index + 1;
        return index;
    }

    synchronized void release(int index) {
        used.clear(index);
    }
}
