package dev.mayfly.activities.capacity;

import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.agentapi.AgentApi.SlotReport;
import dev.mayfly.workflows.job.Arch;
import java.time.Instant;
import java.util.List;

/**
 * A host as REST shows it.
 *
 * @param used what live slots reserve; may exceed the capacity after the host was made smaller
 * @param inventory what the agent reported last
 */
public record HostView(
        String hostId,
        HostState state,
        long epoch,
        Arch arch,
        String driver,
        String agentVersion,
        Capacity capacity,
        Capacity used,
        Instant registeredAt,
        Instant renewedAt,
        List<SlotReport> inventory) {

    /** What is free; never negative. */
    public Capacity free() {
        return new Capacity(
                Math.max(0, capacity.milliCpus() - used.milliCpus()),
                Math.max(0, capacity.memoryMib() - used.memoryMib()),
                Math.max(0, capacity.diskMib() - used.diskMib()));
    }
}
