package dev.mayfly.activities.capacity;

/** Whether a host may be given slots. */
public enum HostState {
    /** Renews its lease. */
    READY,
    /** Has been silent for a while: no new slots. */
    SUSPECT,
    /** Silent for too long: its slots are void; it comes back with the new epoch once it has destroyed everything older. */
    LOST
}
