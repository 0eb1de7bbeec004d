package dev.mayfly.agent.vm.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.image.TestImage;
import dev.mayfly.agent.vm.qemu.QemuCommandLine.Accelerator;
import dev.mayfly.workflows.job.VmSize;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QemuCommandLineTest {

    private static final QemuCommandLine.Files FILES =
            new QemuCommandLine.Files(Path.of("/s/scratch.ext4"), Path.of("/r/agent.sock"), Path.of("/r/qmp.sock"));

    @TempDir
    Path image;

    private String line(Accelerator accelerator, VmSize size) throws IOException {
        QemuCommandLine line =
                new QemuCommandLine(Path.of("/usr/bin/qemu"), TestImage.in(image), accelerator, 2_596_132);
        List<String> argv = line.argv(size, FILES);
        argv.addAll(line.network());
        return String.join(" ", argv).replace(image.toString(), "/i");
    }

    @Test
    void theEmulatedVmsCommandLine() throws Exception {
        assertThat(line(Accelerator.TCG, VmSize.of(1500, 2016, 4096)))
                .isEqualTo("/usr/bin/qemu -M microvm,acpi=on,rtc=on,x-option-roms=off -m 2096M -smp 2 -nodefaults"
                        + " -no-user-config -display none -no-reboot -global virtio-mmio.force-legacy=false"
                        + " -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
                        + " -serial stdio -accel tcg,thread=multi,tb-size=256"
                        + " -qmp unix:/r/qmp.sock,server=on,wait=off -device virtio-serial-device"
                        + " -chardev socket,id=agent,path=/r/agent.sock,server=on,wait=off"
                        + " -device virtserialport,chardev=agent,name=mayfly.agent -device virtio-rng-device"
                        + " -drive id=root,file=/i/rootfs.ext4,format=raw,if=none,readonly=on,file.locking=off"
                        + " -device virtio-blk-device,drive=root"
                        + " -drive id=scratch,file=/s/scratch.ext4,format=raw,if=none,cache=unsafe"
                        + " -device virtio-blk-device,drive=scratch,werror=report,rerror=report"
                        + " -device pvpanic -kernel /i/vmlinuz -initrd /i/initrd.cpio"
                        + " -append console=ttyS0 quiet reboot=t panic=-1 cryptomgr.notests apparmor=0"
                        + " lsm=landlock,yama,bpf net.ifnames=0 ipv6.disable=1 swiotlb=noforce tsc_early_khz=2596132 no_timer_check"
                        + " tsc=reliable"
                        + " -netdev tap,id=net0,ifname=tap0,script=no,downscript=no"
                        + " -device virtio-net-device,netdev=net0,mac=02:00:00:00:00:01");
    }

    @Test
    void underKvmTheCpuIsTheHostsAndTheClockIsFoundOutByTheGuest() throws Exception {
        assertThat(line(Accelerator.KVM, VmSize.of(4000, 8192, 4096)))
                .contains(" -accel kvm -cpu host ")
                .contains(" -smp 4 ")
                .doesNotContain("tcg")
                .doesNotContain("tsc");
    }

    @Test
    void theLimitHasRoomForTheVmAndForTheCodeThatQemuTranslates() throws Exception {
        VmSize size = VmSize.of(1000, 2016, 4096);
        assertThat(line(Accelerator.TCG, size)).contains("2096M");
        assertThat(QemuCommandLine.memoryLimitBytes(size)).isEqualTo((2096L + 256 + 100) << 20);
    }
}
