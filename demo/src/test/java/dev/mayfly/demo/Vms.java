package dev.mayfly.demo;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What a test does to a VM from outside, as a fault would. */
final class Vms {

    private Vms() {}

    /** Kills the VM's QEMU, as the kernel would for want of memory. */
    static void kill(String slotId) {
        List<ProcessHandle> found = ProcessHandle.allProcesses()
                .filter(process -> commandLine(process.pid()).contains("qemu-system"))
                .filter(process -> commandLine(process.pid()).contains("/" + slotId + "/"))
                .toList();
        if (found.isEmpty()) {
            throw new AssertionError("no QEMU of " + slotId + " runs");
        }
        found.forEach(ProcessHandle::destroyForcibly);
    }

    /** The host name that the guest of this slot has. */
    static String hostName(String slotId) {
        return slotId;
    }

    private static String commandLine(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/cmdline")).replace('\0', ' ');
        } catch (java.io.IOException ended) {
            return "";
        }
    }
}
