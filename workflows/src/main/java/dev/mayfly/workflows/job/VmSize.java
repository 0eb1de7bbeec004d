package dev.mayfly.workflows.job;

import com.fasterxml.jackson.annotation.JsonIgnore;

/**
 * What a VM gets and what a host must have free for it.
 *
 * @param milliCpus thousandths of a CPU; the guest sees {@link #vcpus()}, a cgroup quota holds it to this
 * @param memoryMib RAM that the job sees
 * @param diskMib scratch disk, allocated at launch
 */
public record VmSize(int milliCpus, int memoryMib, int diskMib) {

    public VmSize {
        if (milliCpus <= 0 || memoryMib <= 0 || diskMib < 0) {
            throw new IllegalArgumentException(
                    "a VM needs CPU and memory: %d mCPU, %d MiB, disk %d MiB".formatted(milliCpus, memoryMib, diskMib));
        }
    }

    /** Virtual CPUs of the guest: the CPU share rounded up. */
    @JsonIgnore
    public int vcpus() {
        return (milliCpus + 999) / 1000;
    }

    /** Short form for people, such as {@code 4c/8g}, {@code 0.5c/512m}. */
    @JsonIgnore
    public String label() {
        String cpus = milliCpus % 1000 == 0
                ? String.valueOf(milliCpus / 1000)
                : String.valueOf(milliCpus / 1000.0).replaceAll("0+$", "");
        String memory = memoryMib % 1024 == 0 ? memoryMib / 1024 + "g" : memoryMib + "m";
        return cpus + "c/" + memory;
    }
}
