package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.network.AddressPlan;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Finds and kills processes of VMs that no journal knows: guards whose spec lies in this agent's own state folder, and
 * whatever runs under a user id of this host's range that belongs to no known slot.
 */
final class LeftOverProcesses {

    private final Path slots;
    private final AddressPlan plan;

    LeftOverProcesses(Path slots, AddressPlan plan) {
        this.slots = slots;
        this.plan = plan;
    }

    /** Kills them and says which. */
    List<String> kill(Set<String> knownSlots, Set<Integer> knownUids) throws IOException {
        List<String> killed = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                String what = leftOver(process, knownSlots, knownUids);
                if (!what.isEmpty()) {
                    long pid = Long.parseLong(String.valueOf(process.getFileName()));
                    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
                    killed.add("process %d (%s)".formatted(pid, what));
                }
            }
        }
        return killed;
    }

    private String leftOver(Path process, Set<String> knownSlots, Set<Integer> knownUids) {
        try {
            int uid = (Integer) Files.getAttribute(process, "unix:uid");
            if (plan.ownsUid(uid)) {
                return knownUids.contains(uid) ? "" : "user id " + uid;
            }
            String[] argv = Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1)
                    .split("\0", -1);
            if (argv.length < 2 || !argv[0].endsWith("/mayfly-guard")) {
                return "";
            }
            Path spec = Path.of(argv[1]);
            if (!spec.startsWith(slots)) {
                return "";
            }
            String slotId = spec.getName(slots.getNameCount()).toString();
            return knownSlots.contains(slotId) ? "" : "guard of " + slotId;
        } catch (IOException gone) {
            return "";
        }
    }
}
