package dev.mayfly.activities.capacity.exchange;

import dev.mayfly.activities.capacity.HostState;
import java.util.List;

/** A host as PostgreSQL must know it; CPUs are what is short. */
final class ModelHost {

    final String id;
    final int milliCpus;
    final List<String> labels;
    int used;
    long epoch = 1;
    long silentMillis;
    HostState state = HostState.READY;

    ModelHost(String id, int milliCpus, List<String> labels) {
        this.id = id;
        this.milliCpus = milliCpus;
        this.labels = List.copyOf(labels);
    }
}
