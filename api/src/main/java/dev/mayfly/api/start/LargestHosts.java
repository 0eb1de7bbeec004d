package dev.mayfly.api.start;

import dev.mayfly.activities.capacity.HostOffer;
import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.job.VmSize;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Refuses a job that no single host could run even if it were empty, or whose architecture none has. LOST hosts count
 * too: they may come back. Without any host nothing is refused: the first one may still be on its way.
 */
final class LargestHosts {

    private static final int NAMED = 3;

    private LargestHosts() {}

    /** Why no host can run it, for the job's author; empty if one can. */
    static Optional<String> refusal(VmSize size, List<HostOffer> hosts) {
        if (hosts.isEmpty() || hosts.stream().anyMatch(host -> host.fits(size))) {
            return Optional.empty();
        }
        List<HostOffer> ofArch =
                hosts.stream().filter(host -> host.arch() == size.arch()).toList();
        if (ofArch.isEmpty()) {
            String others = hosts.stream()
                    .map(host -> host.arch().tag())
                    .distinct()
                    .sorted()
                    .collect(Collectors.joining(", "));
            return Optional.of(
                    "it asks for %1$s, and no host of this installation is %1$s; ask for %2$s or add such a host"
                            .formatted(size.arch().tag(), others));
        }
        String nearest = ofArch.stream()
                .sorted(Comparator.comparingDouble((HostOffer host) -> timesTooLarge(size, host.capacity()))
                        .thenComparing(HostOffer::id))
                .limit(NAMED)
                .map(host -> "%s (%s)".formatted(host.id(), words(host.capacity())))
                .collect(Collectors.joining(", "));
        return Optional.of(
                "it asks for %s, whose VM takes %s, and no single host offers so much; nearest: %s; ask for less"
                        .formatted(
                                size.label(),
                                words(new Capacity(size.milliCpus(), size.hostMemoryMib(), size.diskMib())),
                                nearest));
    }

    /** How many times the scarcest resource of the host would be needed. */
    private static double timesTooLarge(VmSize size, Capacity capacity) {
        return Math.max(
                times(size.milliCpus(), capacity.milliCpus()),
                Math.max(times(size.hostMemoryMib(), capacity.memoryMib()), times(size.diskMib(), capacity.diskMib())));
    }

    private static double times(int asked, int offered) {
        return asked / (double) Math.max(1, offered);
    }

    private static String words(Capacity capacity) {
        String cpus = capacity.milliCpus() % 1000 == 0
                ? String.valueOf(capacity.milliCpus() / 1000)
                : String.valueOf(capacity.milliCpus() / 1000.0);
        return "%s CPUs, %d MiB of memory, %d MiB of disk".formatted(cpus, capacity.memoryMib(), capacity.diskMib());
    }
}
