package dev.mayfly.activities.placement;

import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.Arch;
import dev.mayfly.workflows.job.VmSize;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import org.jspecify.annotations.Nullable;

/** Small fleets and queues of all kinds, and short ways to say one. In units of CPU, memory and disk. */
final class Fleets {

    static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final int UNIT_MIB = 1024;
    private static final int ODD_MIB = 31;

    private Fleets() {}

    static VmSize size(int cpus, int memory, int disk) {
        return VmSize.of(cpus, memory * UNIT_MIB, disk);
    }

    /** As many of memory as VMs of one unit have room for. */
    static Capacity capacity(int cpus, int memory, int disk) {
        return new Capacity(cpus, memory * size(1, 1, 1).hostMemoryMib(), disk);
    }

    static Capacity even(int units) {
        return capacity(units, units, units);
    }

    static Room room(String host, int units, int free, Room.Running... running) {
        return new Room(host, 1, true, Arch.X86_64, Set.of(), even(units), even(free), List.of(running));
    }

    static Room.Running running(int units, @Nullable Integer minutes) {
        return new Room.Running(
                Placement.taken(size(units, units, units)),
                minutes == null ? null : NOW.plus(Duration.ofMinutes(minutes)));
    }

    static Request request(String job, int units) {
        return request(job, units, 0, null);
    }

    static Request request(String job, int units, int passed, @Nullable Integer minutes) {
        return new Request(
                job,
                "gl",
                "acme/app",
                size(units, units, units),
                Set.of(),
                passed,
                minutes == null ? null : Duration.ofMinutes(minutes));
    }

    static Arbitrary<List<Room>> rooms() {
        Arbitrary<Integer> amount = Arbitraries.integers().between(0, 8);
        Arbitrary<List<Room.Running>> running = Combinators.combine(
                        Arbitraries.integers().between(1, 3),
                        Arbitraries.integers().between(-2, 30).injectNull(0.3))
                .as(Fleets::running)
                .list()
                .ofMaxSize(3);
        Arbitrary<Arch> arch = Arbitraries.frequency(Tuple.of(4, Arch.X86_64), Tuple.of(1, Arch.ARM64));
        Arbitrary<Set<String>> labels = Arbitraries.of("gpu", "ssd").set().ofMaxSize(2);
        Arbitrary<Boolean> ready = Arbitraries.frequency(Tuple.of(4, true), Tuple.of(1, false));
        return Combinators.combine(amount, amount, amount, amount, ready, arch, labels, running)
                .as((cpus, memory, disk, used, isReady, ofArch, labelled, runs) -> new Room(
                        "host",
                        1,
                        isReady,
                        ofArch,
                        labelled,
                        capacity(cpus, memory, disk),
                        less(capacity(cpus - used, memory - used, disk - used), used * ODD_MIB),
                        runs))
                .list()
                .ofMaxSize(6)
                .map(rooms -> IntStream.range(0, rooms.size())
                        .mapToObj(i -> named(rooms.get(i), "host-" + i))
                        .toList());
    }

    /** No VM takes whole units of memory: what is free is not always as much as some VM takes. */
    private static Capacity less(Capacity free, int mib) {
        return new Capacity(free.milliCpus(), free.memoryMib() - mib, free.diskMib());
    }

    private static Room named(Room room, String name) {
        return new Room(
                name,
                room.epoch(),
                room.ready(),
                room.arch(),
                room.labels(),
                room.capacity(),
                room.free(),
                room.running());
    }

    static Arbitrary<List<Request>> queues() {
        Arbitrary<Integer> amount = Arbitraries.integers().between(1, 6);
        return Combinators.combine(
                        Combinators.combine(
                                        Arbitraries.of(Arch.X86_64, Arch.X86_64, Arch.X86_64, Arch.ARM64),
                                        amount,
                                        amount,
                                        amount)
                                .as((arch, cpus, memory, disk) -> new VmSize(arch, cpus, memory * UNIT_MIB, disk)),
                        Arbitraries.of(Set.of(), Set.of(), Set.of("gpu"), Set.of("gpu", "ssd"), Set.of("none")),
                        Arbitraries.of("acme/app", "acme/web", "other/app"),
                        Arbitraries.integers().between(0, 12),
                        Arbitraries.integers().between(1, 30).injectNull(0.3))
                .as((size, labels, project, passed, minutes) -> new Request(
                        "job",
                        "gl",
                        project,
                        size,
                        asStrings(labels),
                        passed,
                        minutes == null ? null : Duration.ofMinutes(minutes)))
                .list()
                .ofMaxSize(14)
                .map(requests -> IntStream.range(0, requests.size())
                        .mapToObj(i -> named(requests.get(i), "job-" + i))
                        .toList());
    }

    private static Set<String> asStrings(Set<?> labels) {
        List<String> strings = new ArrayList<>();
        labels.forEach(label -> strings.add(label.toString()));
        return Set.copyOf(strings);
    }

    private static Request named(Request request, String name) {
        return new Request(
                name,
                request.instance(),
                request.projectPath(),
                request.size(),
                request.labels(),
                request.passed(),
                request.expected());
    }

    static Arbitrary<Rules> rules() {
        Arbitrary<Limit> limit = Combinators.combine(
                        Arbitraries.of("", "acme", "acme/app", "other"),
                        Arbitraries.of(0, 1, 3, Integer.MAX_VALUE),
                        Arbitraries.of(2, 6, Integer.MAX_VALUE),
                        Arbitraries.of(2048, 8192, Integer.MAX_VALUE))
                .as((path, jobs, cpus, memory) -> new Limit("gl", path, jobs, cpus, memory));
        return Combinators.combine(
                        Arbitraries.of(true, false),
                        Arbitraries.integers().between(1, 4),
                        limit.list().ofMaxSize(2))
                .as((spread, passes, limits) -> new Rules(spread, 1, passes, size(1, 1, 1), 200, limits));
    }
}
