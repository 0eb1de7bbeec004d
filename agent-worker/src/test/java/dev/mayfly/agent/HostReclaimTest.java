package dev.mayfly.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.network.HostPorts;
import dev.mayfly.agent.network.HostRules;
import dev.mayfly.agent.network.VmNetwork;
import dev.mayfly.agent.process.Commands;
import dev.mayfly.agent.vm.LeftOver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With networks, a packet filter and a process of this machine, under names and numbers of the test's own. */
class HostReclaimTest {

    private static final String SLOT = "zzt8q-1";

    @TempDir
    Path folder;

    private final Commands commands = new Commands(Duration.ofSeconds(20));
    private final AddressPlan plan = new AddressPlan("10.231.4.0/24", 291_000, 50);
    private final AddressPlan othersPlan = new AddressPlan("10.231.5.0/24", 291_100, 50);
    private final List<Process> processes = new ArrayList<>();
    private AgentConfig config;
    private HostReclaim reclaim;

    @BeforeEach
    void aHostWithLeftOvers() throws IOException {
        assumeThat(Files.getAttribute(Path.of("/proc/self"), "unix:uid")).isEqualTo(0);
        config = TestConfig.in(folder, "");
        Files.createDirectories(config.stateDir());
        reclaim = new HostReclaim(config, commands, Clock.systemUTC());
    }

    @AfterEach
    void clean() throws IOException {
        processes.forEach(Process::destroyForcibly);
        new VmNetwork(commands, plan, new HostPorts(1, 0)).remove(SLOT);
        new VmNetwork(commands, othersPlan, new HostPorts(1, 0)).remove("zzt8q-2");
        for (AddressPlan each : List.of(plan, othersPlan)) {
            commands.runWithInput(
                    List.of("nft", "-f", "-"), new HostRules("zzt8q", each, new HostPorts(1, 0)).removal());
        }
    }

    private Process process(int uid) throws IOException {
        Process started = new ProcessBuilder("setpriv", "--reuid", "" + uid, "--clear-groups", "sleep", "60").start();
        processes.add(started);
        HostRig.until("it has its user id", () -> {
            try {
                return Files.getAttribute(Path.of("/proc/" + started.pid()), "unix:uid")
                        .equals(uid);
            } catch (IOException e) {
                return false;
            }
        });
        return started;
    }

    private void leaveBehind() throws IOException {
        Files.createDirectories(config.stateDir().resolve("slots").resolve(SLOT).resolve("boot-1/vm"));
        Files.createDirectories(config.runDir().resolve(SLOT).resolve("secrets"));
        new VmNetwork(commands, plan, new HostPorts(1, 0)).create(SLOT, 3);
        commands.runWithInput(
                List.of("nft", "-f", "-"),
                new HostRules("zzt8q", plan, new HostPorts(1, 0)).text(List.of(), List.of()));
    }

    private List<String> found(boolean decommission) throws IOException {
        return reclaim.find(decommission).stream().map(LeftOver::what).toList();
    }

    @Test
    void whatAnAgentLeftIsFoundInTheOrderInWhichItMustGoAndThenGone() throws Exception {
        leaveBehind();
        Process vmm = process(plan.uid(3));

        assertThat(found(false))
                .containsExactly(
                        "process %d (user id 291003)".formatted(vmm.pid()),
                        "network of " + SLOT,
                        "packet filter table ip mayfly_zzt8q_291000",
                        "folder %s/run/%s".formatted(folder, SLOT),
                        "folder %s/state/slots/%s with disk and journal of the slot".formatted(folder, SLOT));
        assertThat(vmm.isAlive()).as("finding changes nothing").isTrue();

        LeftOver.removeAll(reclaim.find(false));

        assertThat(found(false)).isEmpty();
        assertThat(vmm.isAlive()).isFalse();
        assertThat(Path.of("/run/netns/mayfly-" + SLOT)).doesNotExist();
        assertThat(config.stateDir().resolve("tombstones").resolve(SLOT)).exists();
    }

    @Test
    void anotherAgentsNetworksProcessesAndFiltersAreNotTouched() throws Exception {
        leaveBehind();
        new VmNetwork(commands, othersPlan, new HostPorts(1, 0)).create("zzt8q-2", 0);
        commands.runWithInput(
                List.of("nft", "-f", "-"),
                new HostRules("zzt8q", othersPlan, new HostPorts(1, 0)).text(List.of(), List.of()));
        Process others = process(othersPlan.uid(0));

        LeftOver.removeAll(reclaim.find(false));

        assertThat(others.isAlive()).isTrue();
        assertThat(Path.of("/run/netns/mayfly-zzt8q-2")).exists();
        assertThat(commands.run("nft", "list", "tables")).contains("mayfly_zzt8q_291100");
    }

    @Test
    void decommissioningTakesIdentityAndTombstonesToo() throws Exception {
        new HostIdentity(config.stateDir(), "host-1");
        leaveBehind();
        assertThat(found(true))
                .endsWith(
                        "all that is in runDir %s/run".formatted(folder),
                        "this host's identity, tombstones and all else in stateDir %s/state".formatted(folder));
        LeftOver.removeAll(reclaim.find(true));
        assertThat(config.stateDir()).doesNotExist();
        assertThat(config.runDir()).doesNotExist();
    }

    @Test
    void theCommandOnlyTellsUntilItIsToldSoAndIsRefusedWhileAnAgentRuns() throws Exception {
        leaveBehind();
        Path file = Files.writeString(folder.resolve("agent.yml"), """
                stateDir: %1$s/state
                runDir: %1$s/run
                lockDir: %1$s/locks
                controlPlane: {url: "http://127.0.0.1:1"}
                temporal: {target: "127.0.0.1:1"}
                addressPool: 10.231.4.0/24
                uidRange: 291000-291049
                """.formatted(folder));
        assertThat(say("reclaim", "--config", file.toString()))
                .contains("would remove: network of " + SLOT)
                .contains("nothing was changed; --yes removes all this")
                .endsWith("true");
        try (HostLocks agent = HostLocks.take(config, new ArrayList<>())) {
            assertThat(agent).isNotNull();
            assertThat(say("reclaim", "--yes", "--config", file.toString()))
                    .contains("problem: an agent already runs with stateDir")
                    .endsWith("false");
        }
        assertThat(Path.of("/run/netns/mayfly-" + SLOT)).exists();
        assertThat(say("reclaim", "--yes", "--config", file.toString()))
                .contains("removing: network of " + SLOT)
                .contains("all of it is gone")
                .endsWith("true");
        assertThat(say("reclaim", "--yes", "--config", file.toString())).contains("nothing was left");
    }

    private static String say(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        boolean done =
                AgentMain.reclaim(CommandLine.parse(arguments), new PrintStream(out, true, StandardCharsets.UTF_8));
        return out.toString(StandardCharsets.UTF_8) + done;
    }
}
