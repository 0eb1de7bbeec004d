package dev.mayfly.activities.capacity;

import dev.mayfly.activities.placement.Placement;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.VmSize;
import org.jdbi.v3.core.mapper.Nested;

/** What a host would offer a VM if it were empty, whatever its state. */
public record HostOffer(String id, Arch arch, @Nested Capacity capacity) {

    public boolean fits(VmSize size) {
        return Placement.fits(size, arch, capacity);
    }
}
