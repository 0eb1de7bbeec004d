package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.process.RunningProcess;
import dev.mayfly.agent.vm.LeftOver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Finds processes of VMs that no journal knows: guards whose spec lies in this agent's own state folder, and
 * whatever runs under a user id of this host's range that belongs to no known slot.
 */
final class LeftOverProcesses {

    private static final long GONE_WITHIN_NANOS = 15_000_000_000L;
    private static final long PAUSE_NANOS = 2_000_000;

    private final Path slots;
    private final AddressPlan plan;

    LeftOverProcesses(Path slots, AddressPlan plan) {
        this.slots = slots;
        this.plan = plan;
    }

    /** Each with its killing, which waits until it is gone. */
    List<LeftOver> find(Set<String> knownSlots, Set<Integer> knownUids) throws IOException {
        List<LeftOver> found = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                String whose = leftOver(process, knownSlots, knownUids);
                if (!whose.isEmpty()) {
                    long pid = Long.parseLong(String.valueOf(process.getFileName()));
                    String what = "process %d (%s)".formatted(pid, whose);
                    RunningProcess.now(pid)
                            .filter(RunningProcess::isAlive)
                            .ifPresent(each -> found.add(new LeftOver(what, () -> end(each, what))));
                }
            }
        }
        return found;
    }

    private static void end(RunningProcess process, String what) throws IOException {
        process.kill();
        long deadline = System.nanoTime() + GONE_WITHIN_NANOS;
        while (process.isAlive()) {
            if (System.nanoTime() > deadline) {
                throw new IOException(what + " does not end; look for it in state D");
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
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
