package dev.mayfly.activities.capacity;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.agentapi.AgentApi.SlotReport;
import dev.mayfly.workflows.job.Arch;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A host as REST shows it.
 *
 * @param used what live slots reserve; may exceed the capacity after the host was made smaller
 * @param inventory what the agent reported last
 * @param drainingSince takes no new VMs since then, by an operator's word
 * @param rebootsWhenEmpty whether it reboots once its last VM is gone
 * @param labels by its agent.yml and by operators, sorted
 * @param problems what keeps VMs off it or will be trouble, each a sentence with its cure
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
        List<SlotReport> inventory,
        @Nullable Instant drainingSince,
        boolean rebootsWhenEmpty,
        List<String> labels,
        List<String> problems) {

    /** Whether it takes no new VMs and has none left. */
    @JsonProperty
    public boolean drained() {
        return state == HostState.DRAINING && used.milliCpus() == 0 && inventory.isEmpty();
    }

    /** What is free; never negative. */
    public Capacity free() {
        return new Capacity(
                Math.max(0, capacity.milliCpus() - used.milliCpus()),
                Math.max(0, capacity.memoryMib() - used.memoryMib()),
                Math.max(0, capacity.diskMib() - used.diskMib()));
    }
}
