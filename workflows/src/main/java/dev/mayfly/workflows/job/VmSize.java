package dev.mayfly.workflows.job;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.Objects;

/**
 * What a VM gets and what a host must have free for it.
 *
 * @param arch of the host that it needs
 * @param milliCpus thousandths of a CPU; the guest sees {@link #vcpus()}, a cgroup quota holds it to this
 * @param memoryMib RAM that the job sees
 * @param diskMib scratch disk, allocated at launch
 */
public record VmSize(Arch arch, int milliCpus, int memoryMib, int diskMib) {

    /** Kernel image, initrd and tables that a guest's MemTotal does not count, whatever its size. */
    private static final int KERNEL_MIB = 48;
    /** A page's descriptor is 64 bytes of 4096. */
    private static final int PAGES_PER_DESCRIPTOR = 64;
    /** The VMM itself: code, device models, I/O buffers. */
    private static final int VMM_MIB = 100;

    public VmSize {
        arch = Objects.requireNonNullElse(arch, Arch.X86_64); // histories written before there were others
        if (milliCpus <= 0 || memoryMib <= 0 || diskMib < 0) {
            throw new IllegalArgumentException(
                    "a VM needs CPU and memory: %d mCPU, %d MiB, disk %d MiB".formatted(milliCpus, memoryMib, diskMib));
        }
    }

    /** A size for {@code x86_64}. */
    public static VmSize of(int milliCpus, int memoryMib, int diskMib) {
        return new VmSize(Arch.X86_64, milliCpus, memoryMib, diskMib);
    }

    /** Virtual CPUs of the guest: the CPU share rounded up. */
    @JsonIgnore
    public int vcpus() {
        return (milliCpus + 999) / 1000;
    }

    /** RAM of the VM, MiB: what the job asks for and its kernel's share, so that the job sees what it asks for. */
    @JsonIgnore
    public int ramMib() {
        return memoryMib + memoryMib / (PAGES_PER_DESCRIPTOR - 1) + KERNEL_MIB;
    }

    /** What the VM takes of its host's memory, MiB: this, and not what the job sees, is counted against capacity. */
    @JsonIgnore
    public int hostMemoryMib() {
        return ramMib() + VMM_MIB;
    }

    /** Short form for people, such as {@code 4c/8g}, {@code 0.5c/512m}, {@code 4c/8g/arm64}. */
    @JsonIgnore
    public String label() {
        String cpus = milliCpus % 1000 == 0
                ? String.valueOf(milliCpus / 1000)
                : String.valueOf(milliCpus / 1000.0).replaceAll("0+$", "");
        String memory = memoryMib % 1024 == 0 ? memoryMib / 1024 + "g" : memoryMib + "m";
        return cpus + "c/" + memory + (arch == Arch.X86_64 ? "" : "/" + arch.tag());
    }
}
