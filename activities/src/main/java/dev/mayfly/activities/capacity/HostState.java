package dev.mayfly.activities.capacity;

/** Whether a host may be given slots. */
public enum HostState {
    /** Renews its lease. */
    READY,
    /** Renews its lease and takes no new slots: an operator drains it, or its agent is too old. Stored as READY. */
    DRAINING,
    /** Has been silent for a while: no new slots. */
    SUSPECT,
    /** Silent for too long: its slots are void; it comes back with the new epoch once it has destroyed everything older. */
    LOST
}
