package dev.mayfly.agent.vm.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.image.GuestImage;
import dev.mayfly.agent.image.TestImage;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.process.RunningProcess;
import dev.mayfly.agent.vm.qemu.QemuCommandLine.Accelerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** With a script in QEMU's place. */
@Timeout(30)
class KvmProbeTest {

    /** A guest that says at once that it has booted. */
    private static final String BOOTS = """
            socket=$(echo "$*" | sed 's/.*id=agent,path=\\([^,]*\\),.*/\\1/')
            exec python3 -c '
            import socket, sys
            s = socket.socket(socket.AF_UNIX)
            s.bind(sys.argv[1])
            s.listen()
            c = s.accept()[0]
            frame = b"{\\"type\\":\\"state\\",\\"state\\":\\"booted\\"}"
            c.sendall(len(frame).to_bytes(4, "big") + frame)
            c.recv(100)
            c.recv(100)
            ' "$socket"
            """;

    @TempDir
    Path folder;

    private GuestImage image;
    private Path device;

    @BeforeEach
    void host() throws IOException {
        image = TestImage.in(Files.createDirectory(folder.resolve("image")));
        device = Files.createFile(folder.resolve("kvm"));
    }

    private QemuCommandLine qemu(String body) throws IOException {
        Path script = folder.resolve("qemu");
        Files.writeString(script, """
                #!/bin/sh
                if [ "$1" = --version ]; then echo 'QEMU emulator version 7.2'; exit; fi
                echo $$ >> %s
                %s
                """.formatted(folder.resolve("started"), body));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new QemuCommandLine(script, image, Accelerator.TCG, 1);
    }

    private Accelerator choose(QemuCommandLine qemu) throws IOException {
        return new KvmProbe(
                        new Commands(Duration.ofSeconds(10)),
                        device,
                        folder.resolve("kvm-probe"),
                        folder.resolve("work"),
                        Duration.ofSeconds(1),
                        Clock.systemUTC())
                .choose(qemu);
    }

    private List<String> started() throws IOException {
        Path file = folder.resolve("started");
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    private void nothingRuns() throws IOException {
        assertThat(started()).hasSize(1);
        long pid = Long.parseLong(started().get(0));
        Instant deadline = Instant.now().plusSeconds(5);
        while (RunningProcess.now(pid).filter(RunningProcess::isAlive).isPresent()) {
            assertThat(Instant.now()).as("waiting for the end of the VMM").isBefore(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void withoutTheDeviceNothingIsTried() throws Exception {
        Files.delete(device);
        assertThat(choose(qemu("exit 1"))).isEqualTo(Accelerator.TCG);
        assertThat(started()).isEmpty();
    }

    @Test
    void aGuestThatHangsMeansEmulationSoonAndNothingIsLeft() throws Exception {
        Instant before = Instant.now();
        assertThat(choose(qemu("trap '' TERM; while :; do sleep 0.1; done"))).isEqualTo(Accelerator.TCG);
        assertThat(Duration.between(before, Instant.now())).isLessThan(Duration.ofSeconds(6));
        nothingRuns();
        assertThat(folder.resolve("work")).doesNotExist();
    }

    @Test
    void aVmmThatEndsAtOnceMeansEmulation() throws Exception {
        assertThat(choose(qemu("echo 'failed to initialize kvm'; exit 1"))).isEqualTo(Accelerator.TCG);
    }

    @Test
    void aGuestThatBootsMeansKvmAndIsEnded() throws Exception {
        assertThat(choose(qemu(BOOTS))).isEqualTo(Accelerator.KVM);
        nothingRuns();
    }

    @Test
    void whatWasFoundIsKeptForThisQemuAndImageAlone() throws Exception {
        choose(qemu("exit 1"));
        assertThat(choose(qemu(BOOTS))).as("as kept").isEqualTo(Accelerator.TCG);
        assertThat(started()).hasSize(1);

        image = TestImage.in(Files.createDirectory(folder.resolve("other")), "another kernel");
        assertThat(choose(qemu(BOOTS))).isEqualTo(Accelerator.KVM);
    }
}
