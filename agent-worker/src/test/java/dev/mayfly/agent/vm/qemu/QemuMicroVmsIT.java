package dev.mayfly.agent.vm.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.mayfly.agent.claim.VmEnd;
import dev.mayfly.agent.claim.VmEnd.Cause;
import dev.mayfly.agent.vm.LeftOver;
import dev.mayfly.agent.vm.MicroVm;
import dev.mayfly.agent.vm.VmSpec;
import dev.mayfly.workflows.job.Executor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real VMs under real guards. Needs root and an image: MAYFLY_IMAGE and MAYFLY_NATIVE as bin/setup writes them. */
class QemuMicroVmsIT {

    private static final int BOOT_SECONDS = 90;

    @TempDir
    Path folder;

    private QemuHost host;

    @BeforeEach
    void machine() throws Exception {
        host = QemuHost.onThisMachine(folder, 0);
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        if (host != null) {
            host.close();
            assertThat(host.leftOvers()).isEmpty();
        }
    }

    @Test
    void aVmBootsReachesItsRelayAndIsGoneAfterDestroy() throws Exception {
        CompletableFuture<InetAddress> peer = new CompletableFuture<>();
        HttpServer relay = HttpServer.create(new InetSocketAddress(QemuHost.RELAY_PORT), 0);
        relay.createContext("/", exchange -> {
            peer.complete(exchange.getRemoteAddress().getAddress());
            exchange.sendResponseHeaders(503, -1);
            exchange.close();
        });
        relay.start();
        try {
            MicroVm vm = host.driver().start(host.vm(1));
            within(vm.whenAnswers());
            assertThat(vm.answers()).isTrue();
            assertThat(host.leftOvers()).as("what a running VM has").hasSizeGreaterThanOrEqualTo(4);

            vm.startRunner(Executor.SHELL, "token-of-this-vm", "s_0123456789ab", null);

            assertThat(within(peer))
                    .isEqualTo(host.driver().guestAddress(host.vm(1).index()));
            assertThat(vm.consoleTail(10)).as("console").isNotNull();
        } finally {
            relay.stop(0);
        }
        host.driver().destroy(host.vm(1));
        assertThat(host.leftOvers()).isEmpty();
    }

    @Test
    void aVmOutlivesItsAgentAndIsTakenOverByTheNext() throws Exception {
        within(host.driver().start(host.vm(1)).whenAnswers());
        long vmm = host.vmmPid(1);

        host.restartAgent();

        MicroVm adopted = host.driver().adopt(host.vm(1));
        within(adopted.whenAnswers());
        assertThat(host.vmmPid(1)).isEqualTo(vmm);
        assertThat(adopted.whenEnds().toCompletableFuture()).isNotDone();
    }

    @Test
    void aKilledVmmIsNoticedAndTheSlotCanBootAgain() throws Exception {
        MicroVm first = host.driver().start(host.vm(1));
        ProcessHandle.of(host.vmmPid(1)).orElseThrow().destroyForcibly();

        VmEnd end = within(first.whenEnds());
        assertThat(end.cause()).isEqualTo(Cause.VMM_EXITED);

        within(host.driver().start(host.vm(2)).whenAnswers());
    }

    @Test
    void aGuestThatCantBecomeWhatItIsToldSaysWhyAndTheBootIsOver() throws Exception {
        VmSpec vm = host.vm(1);
        VmSpec misnamed = new VmSpec(vm.slotId(), 1, vm.size(), vm.index(), "no machine id", null);

        VmEnd end = within(host.driver().start(misnamed).whenEnds());

        assertThat(end.cause()).isEqualTo(Cause.GUEST_UNUSABLE);
        assertThat(end.detail()).contains("machineId 'no machine id' is not 32 hexadecimal digits");
    }

    @Test
    void startUpReclaimRemovesWhatNoJournalKnowsAndNothingElse() throws Exception {
        host.driver().start(host.vm(1));
        host.restartAgent();

        assertThat(host.driver().leftOvers("other", List.of(host.vm(1)))).isEmpty();
        assertThat(host.driver().leftOvers(QemuHost.INSTALLATION, List.of(host.vm(1))))
                .as("a known slot stays")
                .isEmpty();

        List<LeftOver> found = host.driver().leftOvers(QemuHost.INSTALLATION, List.of());
        assertThat(found).extracting(LeftOver::what).anyMatch(what -> what.startsWith("process"));
        LeftOver.removeAll(found);
        assertThat(host.leftOvers())
                .as("all is gone but the folder, which goes with its journal entry")
                .allMatch(left -> left.endsWith("/boot-1"));
    }

    @Test
    void anAgentThatIsGoneForGoodHasItsVmsEnded() throws Exception {
        MicroVm vm = host.driver().start(host.vm(1));
        host.stopHeartbeat();

        assertThat(within(vm.whenEnds()).detail()).contains("agent-gone");
    }

    private static <T> T within(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(BOOT_SECONDS, TimeUnit.SECONDS);
    }
}
