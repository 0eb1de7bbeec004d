package dev.mayfly.demo.bench;

import dev.mayfly.activities.placement.Placement;
import dev.mayfly.activities.placement.Room;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.VmSize;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Hosts of {@link JobMix#HOST} and the VMs on them, in memory. */
final class PlayedFleet {

    private final List<Room> rooms = new ArrayList<>();
    private final List<List<Vm>> vms = new ArrayList<>();
    private final PriorityQueue<Vm> byEnd = new PriorityQueue<>(Comparator.comparing(Vm::end));
    private final boolean expectations;

    /** @param end when it will end, whether or not that is expected */
    record Vm(int host, VmSize size, Instant end) {}

    /** @param expectations whether placement is told when VMs will end */
    PlayedFleet(int hosts, boolean expectations) {
        this.expectations = expectations;
        for (int i = 0; i < hosts; i++) {
            rooms.add(new Room(
                    "host-%04d".formatted(i), 1, true, Arch.X86_64, Set.of(), JobMix.HOST, JobMix.HOST, List.of()));
            vms.add(new ArrayList<>());
        }
    }

    List<Room> rooms() {
        return rooms;
    }

    void start(Room room, VmSize size, Instant end) {
        Vm vm = new Vm(rooms.indexOf(room), size, end);
        start(vm);
    }

    private void start(Vm vm) {
        vms.get(vm.host()).add(vm);
        byEnd.add(vm);
        change(vm, -1);
    }

    void start(int host, VmSize size, Instant end) {
        start(new Vm(host, size, end));
    }

    /** Ends the VM that ends next; null if there is none. */
    @Nullable
    Vm endNext() {
        Vm vm = byEnd.poll();
        if (vm != null) {
            vms.get(vm.host()).remove(vm);
            change(vm, 1);
        }
        return vm;
    }

    private void change(Vm vm, int sign) {
        Room old = rooms.get(vm.host());
        Capacity free = new Capacity(
                old.free().milliCpus() + sign * vm.size().milliCpus(),
                old.free().memoryMib() + sign * vm.size().hostMemoryMib(),
                old.free().diskMib() + sign * vm.size().diskMib());
        List<Room.Running> running = expectations
                ? vms.get(vm.host()).stream()
                        .map(one -> new Room.Running(Placement.taken(one.size()), one.end()))
                        .toList()
                : List.of();
        rooms.set(
                vm.host(),
                new Room(
                        old.hostId(),
                        old.epoch(),
                        old.ready(),
                        old.arch(),
                        old.labels(),
                        old.capacity(),
                        free,
                        running));
    }

    /** Share of all hosts' CPUs that is in use. */
    double cpus() {
        return 1
                - rooms.stream().mapToDouble(room -> room.free().milliCpus()).sum()
                        / (1.0 * rooms.size() * JobMix.HOST.milliCpus());
    }

    /** Share of all hosts' memory that is in use. */
    double memory() {
        return 1
                - rooms.stream().mapToDouble(room -> room.free().memoryMib()).sum()
                        / (1.0 * rooms.size() * JobMix.HOST.memoryMib());
    }
}
