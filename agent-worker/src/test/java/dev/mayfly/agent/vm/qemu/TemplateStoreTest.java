package dev.mayfly.agent.vm.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.agent.disk.ScratchDisks;
import dev.mayfly.agent.image.GuestImage;
import dev.mayfly.agent.image.TestImage;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.vm.qemu.QemuCommandLine.Accelerator;
import dev.mayfly.workflows.job.VmSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemplateStoreTest {

    private static final VmSize SMALL = VmSize.of(1000, 1024, 4096);
    private static final VmSize HALF_A_CPU = VmSize.of(500, 1024, 4096);
    private static final VmSize LARGE = VmSize.of(4000, 8192, 4096);
    private static final VmSize LARGER = VmSize.of(4000, 8192, 8192);

    @TempDir
    Path folder;

    private GuestImage image;
    private Path qemu;
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");

    @BeforeEach
    void host() throws IOException {
        image = TestImage.in(Files.createDirectory(folder.resolve("image")));
        qemu = folder.resolve("qemu");
        qemuIs("7.2");
    }

    private void qemuIs(String version) throws IOException {
        Files.writeString(qemu, "#!/bin/sh\necho 'QEMU emulator version %s'\n".formatted(version));
        Files.setPosixFilePermissions(qemu, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private TemplateStore store(int most, long mib) throws IOException {
        return store(most, mib, new QemuCommandLine(qemu, image, Accelerator.TCG, 1));
    }

    private TemplateStore store(int most, long mib, QemuCommandLine commandLine) throws IOException {
        return new TemplateStore(
                folder.resolve("templates"),
                most,
                mib,
                commandLine,
                new Commands(Duration.ofSeconds(10)),
                Clock.fixed(now, ZoneOffset.UTC));
    }

    private void keep(TemplateStore store, VmSize size) throws IOException {
        store.keep(size, finished());
    }

    /** As a VMM leaves it: the disk was given in full, and nothing was written to it. */
    private Path finished() throws IOException {
        Path finished = Files.createDirectory(folder.resolve("finished"));
        Files.write(finished.resolve("ram"), new byte[2 << 20]);
        new Commands(Duration.ofSeconds(10))
                .run(
                        "fallocate",
                        "--length",
                        "8MiB",
                        finished.resolve("scratch.ext4").toString());
        return finished;
    }

    @Test
    void whatAVmmWroteIsRootsFromThenOnAndTakesNoMoreDiskThanItHolds() throws Exception {
        Path finished = finished();
        ScratchDisks.own(finished.resolve("ram"), 290_001);
        Template kept = store(4, 1000).keep(SMALL, finished);
        assertThat(Files.getAttribute(kept.ram(), "unix:uid")).isEqualTo(0);
        assertThat(Files.getPosixFilePermissions(kept.ram())).containsExactly(PosixFilePermission.OWNER_READ);
        String used = new Commands(Duration.ofSeconds(10))
                .run("du", "-k", kept.scratch().toString());
        assertThat(Files.size(kept.scratch())).isEqualTo(8 << 20);
        assertThat(Long.parseLong(used.split("\\s", 2)[0])).as("KiB").isLessThan(1024);
    }

    @Test
    void aLinkInATemplatesPlaceIsRefused() throws Exception {
        Path finished = finished();
        Files.createSymbolicLink(finished.resolve("state"), Path.of("/etc/shadow"));
        TemplateStore store = store(4, 1000);
        assertThatThrownBy(() -> store.keep(SMALL, finished)).hasMessageContaining("state is no file");
        assertThat(store.find(SMALL)).isEmpty();
    }

    @Test
    void aTemplateIsForItsSizeWhateverTheShareOfItsCpus() throws Exception {
        TemplateStore store = store(4, 1000);
        assertThat(store.find(SMALL)).isEmpty();
        keep(store, SMALL);
        assertThat(store.find(SMALL)).isPresent().isEqualTo(store.find(HALF_A_CPU));
        assertThat(store.find(SMALL).orElseThrow().ram()).exists();
        assertThat(store.find(LARGE)).isEmpty();
        keep(store, LARGE);
        assertThat(store.find(LARGER)).as("another disk").isEmpty();
    }

    @Test
    void itOutlivesTheAgentButNotItsImageItsVmmOrItsAccelerator() throws Exception {
        keep(store(4, 1000), SMALL);
        assertThat(store(4, 1000).find(SMALL)).isPresent();

        assertThat(store(4, 1000, new QemuCommandLine(qemu, image, Accelerator.KVM, 1))
                        .find(SMALL))
                .isEmpty();
        assertThat(store(4, 1000).find(SMALL)).as("deleted, not only hidden").isEmpty();

        keep(store(4, 1000), SMALL);
        qemuIs("7.3");
        assertThat(store(4, 1000).find(SMALL)).isEmpty();

        keep(store(4, 1000), SMALL);
        image = TestImage.in(Files.createDirectory(folder.resolve("image2")), "another kernel");
        assertThat(store(4, 1000).find(SMALL)).isEmpty();
    }

    @Test
    void theOneThatWasNotUsedForLongestMakesRoom() throws Exception {
        TemplateStore first = store(2, 1000);
        keep(first, SMALL);
        now = now.plusSeconds(1);
        keep(store(2, 1000), LARGE);
        now = now.plusSeconds(1);
        TemplateStore later = store(2, 1000);
        assertThat(later.find(SMALL)).as("and used now").isPresent();
        now = now.plusSeconds(1);
        keep(store(2, 1000), LARGER);

        TemplateStore last = store(2, 1000);
        assertThat(last.find(SMALL)).isPresent();
        assertThat(last.find(LARGER)).isPresent();
        assertThat(last.find(LARGE)).isEmpty();
    }

    @Test
    void thereIsNoRoomForAnotherWhileAllAreInUse() throws Exception {
        keep(store(2, 1000), SMALL);
        assertThat(store(2, 1000).hasRoom()).isTrue();
        keep(store(2, 1000), LARGE);
        assertThat(store(2, 1000).hasRoom()).isFalse();
        now = now.plus(Duration.ofMinutes(59));
        assertThat(store(2, 1000).find(LARGE)).isPresent();
        now = now.plus(Duration.ofMinutes(2));
        assertThat(store(2, 1000).hasRoom()).as("the other has been idle").isTrue();
    }

    @Test
    void theirDiskIsBoundedButTheNewestStays() throws Exception {
        keep(store(4, 3), SMALL);
        now = now.plusSeconds(1);
        TemplateStore store = store(4, 3);
        keep(store, LARGE);
        assertThat(store.find(SMALL)).isEmpty();
        assertThat(store.find(LARGE)).isPresent();
    }

    @Test
    void switchedOffItKeepsNone() throws Exception {
        keep(store(4, 1000), SMALL);
        TemplateStore off = store(0, 1000);
        assertThat(off.isOn()).isFalse();
        assertThat(off.find(SMALL)).isEmpty();
    }
}
