package dev.mayfly.agent.vm.qemu;

/**
 * How much RAM a VM needs so that its guest sees what the job asked for, and how much its processes need on the host. Pure.
 */
final class GuestMemory {

    /** Kernel image, initrd and tables that a guest's MemTotal does not count, whatever its size. */
    private static final int KERNEL_MIB = 48;
    /** A page's descriptor is 64 bytes of 4096. */
    private static final int PAGES_PER_DESCRIPTOR = 64;
    /** QEMU itself: code, device models, I/O buffers. */
    private static final int VMM_MIB = 100;

    private GuestMemory() {}

    /** RAM of the VM. */
    static int ramMib(int visibleMib) {
        return visibleMib + visibleMib / (PAGES_PER_DESCRIPTOR - 1) + KERNEL_MIB;
    }

    /** Memory limit of the VM's processes. */
    static long limitBytes(int visibleMib) {
        return (long) (ramMib(visibleMib) + QemuCommandLine.TRANSLATION_CACHE_MIB + VMM_MIB) << 20;
    }
}
