package dev.mayfly.activities.capacity.exchange;

import dev.mayfly.activities.capacity.Fleet;
import dev.mayfly.activities.capacity.HostState;
import dev.mayfly.activities.capacity.exchange.ModelCapacity.ModelJob;
import dev.mayfly.activities.capacity.exchange.ModelCapacity.ModelSlot;
import dev.mayfly.activities.placement.Decision;
import dev.mayfly.activities.placement.Placement;
import dev.mayfly.activities.placement.Request;
import dev.mayfly.activities.placement.Room;
import dev.mayfly.activities.placement.Rules;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * Where the model's jobs go is placement's to decide, and has tests of its own; what that does to everything else is
 * tested here.
 */
final class ModelPlacement {

    private ModelPlacement() {}

    static Decision decide(Collection<ModelHost> hosts, Collection<ModelSlot> slots, List<ModelJob> inOrder) {
        return Placement.place(
                hosts.stream()
                        .filter(host -> host.state != HostState.LOST)
                        .map(host -> room(host, slots))
                        .toList(),
                inOrder.stream().map(ModelPlacement::request).toList(),
                List.of(),
                Rules.standard(),
                Instant.EPOCH);
    }

    private static Request request(ModelJob job) {
        VmSize size = job.job.size();
        if (size == null) {
            throw new IllegalStateException("a job of no size waits: " + job.name());
        }
        return new Request(job.name(), "gl", "acme/app", size, Set.copyOf(job.job.labels()), job.passed, null);
    }

    private static Room room(ModelHost host, Collection<ModelSlot> slots) {
        int vms = host.milliCpus / Fleet.SMALL.milliCpus();
        int memory = Fleet.SMALL.hostMemoryMib() * vms;
        int disk = Fleet.SMALL.diskMib() * vms;
        List<VmSize> used = slots.stream()
                .filter(slot -> slot.host == host && slot.owner != null && !slot.isOld())
                .map(slot -> slot.size)
                .toList();
        return new Room(
                host.id,
                host.epoch,
                host.state == HostState.READY,
                Arch.X86_64,
                Set.copyOf(host.labels),
                new Capacity(host.milliCpus, memory, disk),
                new Capacity(
                        host.milliCpus - host.used,
                        memory - used.stream().mapToInt(VmSize::hostMemoryMib).sum(),
                        disk - used.stream().mapToInt(VmSize::diskMib).sum()),
                List.of());
    }
}
