package dev.mayfly.agent;

import static dev.mayfly.agent.HostRig.SLOT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.process.Commands;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostRebootTest {

    @TempDir
    Path folder;

    private Path reboots;
    private HostRig rig;
    private HostReboot reboot;

    @BeforeEach
    void start() throws IOException {
        rig = new HostRig(folder.resolve("host"));
        reboots = folder.resolve("reboots");
        reboot = reboot("sh", "-c", "echo now >> " + reboots);
    }

    @AfterEach
    void stop() {
        rig.close();
    }

    private HostReboot reboot(String... command) {
        return new HostReboot(rig.slots, new Commands(Duration.ofSeconds(10)), List.of(command));
    }

    private static LeaseReply reply(boolean reboot) {
        return new LeaseReply("k3x9p", 1, Duration.ofSeconds(10), Duration.ofSeconds(90), reboot, List.of());
    }

    @Test
    void anEmptyHostRebootsOnceWhenItIsTold() throws IOException {
        reboot.accept(reply(false));
        assertThat(reboots).doesNotExist();
        reboot.accept(reply(true));
        reboot.accept(reply(true));
        assertThat(Files.readAllLines(reboots)).containsExactly("now");
    }

    @Test
    void aHostWithAVmDoesNotWhateverItIsTold() throws Exception {
        rig.launch(SLOT);
        reboot.accept(reply(true));
        assertThat(reboots).doesNotExist();
        rig.slots.destroy(SLOT);
        reboot.accept(reply(true));
        assertThat(reboots).exists();
    }

    @Test
    void aRebootThatFailsIsTriedAgain() throws IOException {
        HostReboot failing = reboot("sh", "-c", "echo now >> " + reboots + "; exit 1");
        failing.accept(reply(true));
        failing.accept(reply(true));
        assertThat(Files.readAllLines(reboots)).hasSize(2);
    }
}
