package dev.mayfly.agent;

import dev.mayfly.agent.journal.SlotJournal;
import dev.mayfly.agent.journal.SlotRecord;
import dev.mayfly.agent.journal.SlotRecord.Stage;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One slot on this host, in memory: its record, its newest boot, and the lock that makes starting and destroying wait for
 * each other. Every change of the record is in the journal before it is seen here.
 */
final class HostSlot {

    private final ReentrantLock lifecycle = new ReentrantLock();
    private final SlotJournal journal;
    private volatile SlotRecord record;
    private volatile @Nullable BootedVm boot;
    private volatile boolean gone;

    /** A slot that {@code record} describes; not journalled by this constructor. */
    HostSlot(SlotJournal journal, SlotRecord record) {
        this.journal = journal;
        this.record = record;
    }

    /** Held while a VM is started or destroyed, which may take seconds. */
    ReentrantLock lifecycle() {
        return lifecycle;
    }

    SlotRecord record() {
        return record;
    }

    /** Null until the first boot was tried. */
    @Nullable
    BootedVm boot() {
        return boot;
    }

    void booted(BootedVm newest) {
        boot = newest;
    }

    /** Whether the slot was destroyed while somebody waited for the lock. */
    boolean gone() {
        return gone;
    }

    void markGone() {
        gone = true;
    }

    synchronized void beginBoot() throws IOException {
        put(record.nextBoot());
    }

    synchronized void markServed() throws IOException {
        if (!record.served()) {
            put(record.nowServed());
        }
    }

    synchronized void beginDestroying() throws IOException {
        put(record.at(Stage.DESTROYING));
    }

    private void put(SlotRecord changed) throws IOException {
        if (gone) {
            throw new IOException("slot %s was destroyed".formatted(record.slotId()));
        }
        journal.write(changed);
        record = changed;
    }
}
