package dev.mayfly.demo;

import java.util.List;

/** What a test does to a VM from outside, as a fault would. */
final class Vms {

    private Vms() {}

    /** Kills the VM's QEMU, as the kernel would for want of memory. */
    static void kill(String slotId) {
        List<ProcessHandle> found = Processes.naming("qemu-system", "/" + slotId + "/");
        if (found.isEmpty()) {
            throw new AssertionError("no QEMU of " + slotId + " runs");
        }
        found.forEach(ProcessHandle::destroyForcibly);
    }

    /** The host name that the guest of this slot has. */
    static String hostName(String slotId) {
        return slotId;
    }
}
