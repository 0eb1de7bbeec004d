package dev.mayfly.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mayfly.agent.disk.ScratchDisks;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.vm.HostUnfitException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A full disk of the host is found out when a VM is launched, not while its job writes. */
class ScratchDisksTest {

    @TempDir
    Path folder;

    private final Commands commands = new Commands(Duration.ofSeconds(10));
    private Path template;

    @BeforeEach
    void makeTemplate() throws IOException {
        template = Files.writeString(folder.resolve("empty.ext4"), "empty");
    }

    @Test
    void noVmTakesWhatIsToStayFree() {
        var disks = new ScratchDisks(commands, Integer.MAX_VALUE);
        assertThatThrownBy(() -> disks.create(template, folder.resolve("scratch.ext4"), 1, 0))
                .isInstanceOf(HostUnfitException.class)
                .hasMessageContaining(folder + " has ")
                .hasMessageContaining(
                        "a scratch disk of 1 MiB would leave less than the 2147483647 MiB that stay free");
        assertThat(folder.resolve("scratch.ext4")).doesNotExist();
    }

    @Test
    void aDiskThatCouldNotBeAllocatedLeavesNothingBehind() {
        var disks = new ScratchDisks(commands, 0);
        Path nowhere = folder.resolve("none.ext4");
        assertThatThrownBy(() -> disks.create(nowhere, folder.resolve("scratch.ext4"), 1, 0))
                .isInstanceOf(HostUnfitException.class)
                .hasMessageContaining("no room for a scratch disk")
                .hasMessageContaining(nowhere.toString());
        assertThat(folder.resolve("scratch.ext4")).doesNotExist();
    }
}
