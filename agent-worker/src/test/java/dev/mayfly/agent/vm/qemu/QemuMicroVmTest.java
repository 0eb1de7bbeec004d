package dev.mayfly.agent.vm.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.claim.VmEnd;
import dev.mayfly.agent.claim.VmEnd.Cause;
import dev.mayfly.agent.guest.GuestChannel;
import dev.mayfly.agent.vm.qemu.GuardFiles.Exit;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a VM's end is said to be. */
class QemuMicroVmTest {

    private static final String REFUSED =
            "qemu-system-x86_64: -netdev tap: could not open /dev/net/tun: Permission denied";

    @TempDir
    Path folder;

    @Test
    void aVmmThatRanNoGuestSaysWhy() throws Exception {
        VmEnd end = endWith(REFUSED + "\n", 1, null);
        assertThat(end.cause()).isEqualTo(Cause.VMM_REFUSED);
        assertThat(end.detail()).contains("exited with code 1").contains(REFUSED);
    }

    @Test
    void whatAGuestWroteIsInNoMessageWhoeverItPretendsToBe() throws Exception {
        VmEnd end = endWith("[    0.0] Linux version 6.1\n" + REFUSED + "\nqemu: secret\n", 1, null);
        assertThat(end.cause()).isEqualTo(Cause.VMM_EXITED);
        assertThat(end.detail()).doesNotContain("qemu");
        StringBuilder flood = new StringBuilder("[    0.0] Linux version 6.1\n");
        for (int i = 0; i < 100; i++) {
            flood.append("qemu: secret\n");
        }
        assertThat(endWith(flood.toString(), 1, null).detail()).doesNotContain("secret");
    }

    @Test
    void aKilledVmmDidNotRefuse() throws Exception {
        assertThat(endWith("qemu-system-x86_64: terminating on signal 15\n", null, 9)
                        .cause())
                .isEqualTo(Cause.VMM_EXITED);
        assertThat(endWith("", 0, null).cause()).isEqualTo(Cause.VMM_EXITED);
    }

    private VmEnd endWith(String console, @Nullable Integer code, @Nullable Integer signal) throws Exception {
        GuardFiles files = new GuardFiles(folder);
        Files.writeString(files.console(), console);
        String message = code != null ? "the VMM exited with code " + code : "the VMM was killed by signal " + signal;
        Path nowhere = folder.resolve("no.sock");
        QemuMicroVm vm = new QemuMicroVm(
                "k3x9p-1",
                files,
                GuestChannel.toPrototype("k3x9p-1", nowhere, Clock.systemUTC()),
                new QmpEvents("k3x9p-1", nowhere),
                CompletableFuture.completedFuture(new Exit("exited", code, signal, message)));
        return vm.whenEnds().toCompletableFuture().join();
    }
}
