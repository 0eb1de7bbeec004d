package dev.mayfly.agent.vm.qemu;

import dev.mayfly.agent.image.GuestImage;
import dev.mayfly.workflows.job.VmSize;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The VMM's command line. Pure; the image's README.md says why each argument is as it is.
 *
 * @param qemu absolute path of qemu-system-x86_64
 * @param tscKhz this host's time-stamp counter rate; under emulation the guest can't find it out
 */
public record QemuCommandLine(Path qemu, GuestImage image, Accelerator accelerator, long tscKhz) {

    /** QEMU's cache of translated code, which counts towards the VM's memory limit. */
    private static final int TRANSLATION_CACHE_MIB = 256;

    /** The same in every VM: each has a network of its own. */
    private static final String MAC = "02:00:00:00:00:01";

    /** How the guest's CPU is run. */
    public enum Accelerator {
        KVM,
        TCG
    }

    /**
     * Files of one VM that its VMM opens.
     *
     * @param memory null for memory without a file
     */
    public record Files(
            Path scratch,
            Path agentSocket,
            Path qmpSocket,
            @Nullable Memory memory) {

        /** Of a VM that has no file for its memory. */
        public Files(Path scratch, Path agentSocket, Path qmpSocket) {
            this(scratch, agentSocket, qmpSocket, null);
        }
    }

    /**
     * A file that is a VM's memory, or that it begins with.
     *
     * @param shared whether what the VM writes goes into the file; else it is the VM's own
     */
    public record Memory(Path file, boolean shared) {

        static Memory kept(Path file) {
            return new Memory(file, true);
        }

        static Memory own(Path file) {
            return new Memory(file, false);
        }
    }

    /** The arguments, program first. */
    public List<String> argv(VmSize size, Files files) {
        List<String> argv = machine(size, files.memory());
        argv.addAll(List.of(
                "-qmp",
                "unix:" + files.qmpSocket() + ",server=on,wait=off",
                "-device",
                "virtio-serial-device",
                "-chardev",
                "socket,id=agent,path=" + files.agentSocket() + ",server=on,wait=off",
                "-device",
                "virtserialport,chardev=agent,name=mayfly.agent",
                "-device",
                "virtio-rng-device",
                "-drive",
                "id=root,file=" + image.rootFileSystem() + ",format=raw,if=none,readonly=on,file.locking=off",
                "-device",
                "virtio-blk-device,drive=root",
                "-drive",
                "id=scratch,file=" + files.scratch() + ",format=raw,if=none,cache=unsafe",
                "-device",
                "virtio-blk-device,drive=scratch,werror=report,rerror=report",
                "-device",
                "pvpanic",
                "-kernel",
                image.kernel().toString(),
                "-initrd",
                image.initrd().toString(),
                "-append",
                kernelCommandLine()));
        return argv;
    }

    /** The arguments that give the VM its network; the tap is in the namespace that the VMM is started in. */
    public List<String> network() {
        return List.of(
                "-netdev",
                "tap,id=net0,ifname=tap0,script=no,downscript=no",
                "-device",
                "virtio-net-device,netdev=net0,mac=" + MAC);
    }

    /** Memory limit of the VM's processes. */
    static long memoryLimitBytes(VmSize size) {
        return (long) (size.hostMemoryMib() + TRANSLATION_CACHE_MIB) << 20;
    }

    private List<String> machine(VmSize size, @Nullable Memory memory) {
        String machine = "microvm,acpi=on,rtc=on,x-option-roms=off";
        String ram = size.ramMib() + "M";
        List<String> argv = new ArrayList<>(List.of(qemu.toString()));
        if (memory == null) {
            argv.addAll(List.of("-M", machine));
        } else {
            argv.addAll(List.of(
                    "-object",
                    "memory-backend-file,id=ram,size=%s,mem-path=%s,share=%s"
                            .formatted(ram, memory.file(), memory.shared() ? "on" : "off"),
                    "-M",
                    machine + ",memory-backend=ram"));
        }
        argv.addAll(List.of(
                "-m",
                ram,
                "-smp",
                Integer.toString(size.vcpus()),
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-no-reboot",
                "-global",
                "virtio-mmio.force-legacy=false",
                "-sandbox",
                "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
                "-serial",
                "stdio"));
        argv.addAll(
                accelerator == Accelerator.KVM
                        ? List.of("-accel", "kvm", "-cpu", "host")
                        : List.of("-accel", "tcg,thread=multi,tb-size=" + TRANSLATION_CACHE_MIB));
        return argv;
    }

    private String kernelCommandLine() {
        String line =
                "console=ttyS0 quiet reboot=t panic=-1 cryptomgr.notests apparmor=0 lsm=landlock,yama,bpf net.ifnames=0 ipv6.disable=1 swiotlb=noforce";
        return accelerator == Accelerator.KVM
                ? line
                : line + " tsc_early_khz=" + tscKhz + " no_timer_check tsc=reliable";
    }
}
