package dev.mayfly.agent;

import static dev.mayfly.agent.HostRig.SLOT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.mayfly.agent.claim.VmEnd.Cause;
import dev.mayfly.agent.network.AddressPlan;
import dev.mayfly.agent.vm.LeftOver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class StartupReclaimTest {

    @TempDir
    Path folder;

    private final List<String> heard = new CopyOnWriteArrayList<>();
    private HttpServer gitlab;
    private HostRig rig;

    @BeforeEach
    void start() throws IOException {
        gitlab = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        gitlab.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            heard.add("%s %s %s"
                    .formatted(
                            exchange.getRequestMethod(),
                            exchange.getRequestURI().getPath(),
                            body));
            exchange.sendResponseHeaders(exchange.getRequestMethod().equals("PATCH") ? 202 : 200, -1);
            exchange.close();
        });
        gitlab.start();
        rig = new HostRig(folder, "http://127.0.0.1:" + gitlab.getAddress().getPort());
    }

    @AfterEach
    void stop() {
        rig.close();
        gitlab.stop(0);
    }

    @Test
    void aVmThatLivesIsTakenOverWithItsNumberAndNotStartedAgain() throws Exception {
        rig.launch(SLOT);
        FakeDriver.Vm running = Objects.requireNonNull(rig.driver.vms.get(SLOT));
        rig.restart();

        assertThat(rig.driver.calls)
                .containsExactly("start k3x9p-1 1", "left-overs of k3x9p but [k3x9p-1]", "adopt k3x9p-1 1");
        assertThat(running.end).isNotDone();
        assertThat(rig.launch(SLOT)).isEqualTo(1);
        rig.launch("k3x9p-2");
        assertThat(rig.journal.readAll().records().stream()
                        .map(slot -> slot.index())
                        .distinct())
                .hasSize(2);
    }

    @Test
    void slotsOfAnOlderEpochAndThoseThatWereBeingDestroyedAreGoneAfterwards() throws Exception {
        rig.launch(SLOT);
        rig.launch("k3x9p-2");
        rig.driver.destroyFails = new IOException("busy");
        try {
            rig.slots.destroy("k3x9p-2");
        } catch (IOException expected) {
            rig.driver.destroyFails = null;
        }
        rig.restart();
        assertThat(rig.slots.find(SLOT)).isNotNull();
        assertThat(rig.slots.isBuried("k3x9p-2")).isTrue();

        rig.identity.learn(rig.lease(2));
        rig.restart();
        assertThat(rig.slots.all()).isEmpty();
        assertThat(rig.slots.isBuried(SLOT)).isTrue();
        assertThat(rig.driver.vms).isEmpty();
    }

    @Test
    void whatTheDriverFindsOfNoKnownSlotIsRemovedAndAFailureKeepsTheAgentFromNothing() throws Exception {
        List<String> removed = new ArrayList<>();
        rig.driver.leftOvers.add(new LeftOver("process 7", () -> removed.add("process 7")));
        rig.driver.leftOvers.add(new LeftOver("network of k3x9p-8", () -> {
            throw new IOException("busy");
        }));
        rig.driver.leftOvers.add(new LeftOver("control group of k3x9p-8", () -> removed.add("control group")));
        rig.restart();
        assertThat(removed).containsExactly("process 7", "control group");
        assertThat(rig.launch(SLOT)).isEqualTo(1);
    }

    @Test
    void foldersOfNoSlotGoAndWhatIsNoSlotsStays() throws Exception {
        rig.launch(SLOT);
        Files.createDirectories(rig.journal.folder("k3x9p-8").resolve("boot-1"));
        Files.createDirectories(rig.runDir.resolve("k3x9p-8/secrets"));
        Files.createDirectories(rig.runDir.resolve("other"));
        rig.restart();
        assertThat(rig.journal.folder("k3x9p-8")).doesNotExist();
        assertThat(rig.runDir.resolve("k3x9p-8")).doesNotExist();
        assertThat(rig.runDir.resolve("other")).exists();
        assertThat(rig.runDir.resolve(SLOT)).exists();
    }

    @Test
    void aSlotWithADamagedRecordMayNotComeBack() throws Exception {
        rig.launch(SLOT);
        Files.writeString(rig.journal.folder(SLOT).resolve("slot.json"), "{\"slotId\":\"k3x");
        rig.restart();
        assertThat(rig.driver.calls).contains("left-overs of k3x9p but []");
        assertThat(rig.slots.isBuried(SLOT)).isTrue();
        assertThat(rig.journal.folder(SLOT)).doesNotExist();
    }

    @Test
    void aServedJobWhoseVmDiedWhileNoAgentRanGetsItsLastWords() throws Exception {
        rig.launch(SLOT);
        rig.storeClaim(SLOT, 7);
        Objects.requireNonNull(rig.slots.find(SLOT)).markServed();
        rig.broker.close();
        Objects.requireNonNull(rig.driver.vms.get(SLOT)).die(Cause.VMM_EXITED, "the VM ended (killed): signal 9");

        rig.restart();

        HostRig.until(
                "GitLab hears of it", () -> heard.stream().anyMatch(call -> call.contains("runner_system_failure")));
        assertThat(heard)
                .anyMatch(call -> call.startsWith("PATCH /api/v4/jobs/7/trace")
                        && call.contains("signal 9")
                        && call.contains("the last line of the console"));
    }

    @Test
    void aJobThatWasBeingFailedWhenTheAgentDiedIsFailedByTheNext() throws Exception {
        rig.launch(SLOT);
        rig.storeClaim(SLOT, 7);
        Objects.requireNonNull(rig.slots.find(SLOT)).markServed();
        Objects.requireNonNull(rig.slots.find(SLOT)).beginDestroying();
        rig.broker.close();

        rig.restart();

        HostRig.until(
                "GitLab hears of it", () -> heard.stream().anyMatch(call -> call.contains("runner_system_failure")));
        assertThat(rig.slots.isBuried(SLOT)).isTrue();
    }

    @Test
    void addressesMayNotChangeWhileThereAreSlots() throws Exception {
        rig.reclaim();
        rig.launch(SLOT);
        AddressPlan before = rig.plan;
        rig.plan = new AddressPlan("10.231.8.0/28", 291_000, 50);
        assertThatThrownBy(rig::restart)
                .hasMessageContaining("1 slot(s) of this host still use addressPool 10.231.4.0/28")
                .hasMessageContaining("set agent.yml back");
        rig.plan = before;
        rig.restart();
        rig.slots.destroy(SLOT);
        rig.plan = new AddressPlan("10.231.8.0/28", 291_000, 50);
        rig.restart();
        assertThat(rig.launch("k3x9p-2")).isEqualTo(1);
    }
}
