package dev.mayfly.demo;

import java.time.Duration;
import java.util.List;

/** What a test does to a VM from outside, as a fault would. */
final class Vms {

    private Vms() {}

    /** Kills the VM's QEMU, as the kernel would for want of memory. */
    static void kill(String slotId) {
        List<ProcessHandle> found = processes(slotId);
        if (found.isEmpty()) {
            throw new AssertionError("no QEMU of " + slotId + " runs");
        }
        found.forEach(ProcessHandle::destroyForcibly);
    }

    static boolean isRunning(String slotId) {
        return !processes(slotId).isEmpty();
    }

    /** What the VM's QEMU has used so far of all CPUs together. */
    static Duration cpuTime(String slotId) {
        return processes(slotId).stream()
                .flatMap(process -> process.info().totalCpuDuration().stream())
                .reduce(Duration.ZERO, Duration::plus);
    }

    private static List<ProcessHandle> processes(String slotId) {
        return Processes.naming("qemu-system", "/" + slotId + "/");
    }

    /** The host name that the guest of this slot has. */
    static String hostName(String slotId) {
        return slotId;
    }
}
