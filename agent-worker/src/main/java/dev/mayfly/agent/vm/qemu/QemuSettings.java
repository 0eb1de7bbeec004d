package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.guest.DockerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What the QEMU driver needs to know of its host.
 *
 * @param slots folder of folders, one per slot, on disk
 * @param run folder of folders, one per slot, on tmpfs
 * @param guard the guard program
 * @param heartbeat the file whose time the agent renews while it lives
 * @param heartbeatMaxAge how long a VM outlives its agent
 * @param timeToLive how long a VM lives at most
 * @param resolvers DNS servers of the guests
 * @param docker of the guests
 * @param templates folder of templates, on the disk of {@code slots}
 * @param mostTemplates how many there may be, 0 for none
 * @param templatesMib disk that they may take together
 */
public record QemuSettings(
        Path slots,
        Path run,
        Path guard,
        Path heartbeat,
        Duration heartbeatMaxAge,
        Duration timeToLive,
        List<String> resolvers,
        DockerOptions docker,
        Path templates,
        int mostTemplates,
        int templatesMib) {

    public QemuSettings {
        resolvers = List.copyOf(resolvers);
    }
}
