package dev.mayfly.activities.capacity.exchange;

import dev.mayfly.activities.capacity.HostState;

/** A host as PostgreSQL must know it; CPUs are what is short. */
final class ModelHost {

    final String id;
    final int milliCpus;
    int used;
    long epoch = 1;
    long silentMillis;
    HostState state = HostState.READY;

    ModelHost(String id, int milliCpus) {
        this.id = id;
        this.milliCpus = milliCpus;
    }
}
