package dev.mayfly.activities.capacity;

import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A row of {@code host}; {@code inventory} is JSON. Public only because the row mapper needs it so. */
public record HostRow(
        String id,
        HostState state,
        long epoch,
        Arch arch,
        String driver,
        String agentVersion,
        int milliCpus,
        int memoryMib,
        int diskMib,
        int usedMilliCpus,
        int usedMemoryMib,
        int usedDiskMib,
        Instant registeredAt,
        Instant renewedAt,
        String inventory,
        boolean accepting,
        @Nullable Instant drainingSince,
        @Nullable String rebootOf,
        @Nullable String bootId,
        @Nullable String previousBootId,
        long clockAheadMillis,
        boolean outdated,
        @Nullable Instant forgottenAt,
        @Nullable Instant avoidedUntil,
        @Nullable String avoidedBecause,
        List<String> ownLabels,
        List<String> labels) {

    Capacity capacity() {
        return new Capacity(milliCpus, memoryMib, diskMib);
    }

    Capacity used() {
        return new Capacity(usedMilliCpus, usedMemoryMib, usedDiskMib);
    }
}
