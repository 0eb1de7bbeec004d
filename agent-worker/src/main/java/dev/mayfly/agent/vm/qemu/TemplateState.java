package dev.mayfly.agent.vm.qemu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.mayfly.agent.disk.ScratchDisks;
import dev.mayfly.agent.process.Watchdog;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Saves a running VM's devices, and has a VM go on from there: QEMU calls it migration. Memory is not among what is saved:
 * it stays in its file.
 */
final class TemplateState {

    private static final Logger log = LoggerFactory.getLogger(TemplateState.class);
    private static final Duration SAVED_WITHIN = Duration.ofMinutes(1);
    private static final Duration BEGUN_WITHIN = Duration.ofSeconds(20);

    private TemplateState() {}

    /**
     * Writes the state; the VM stands still when this returns, and never goes on.
     *
     * @param socket made for this, where the VMM can reach it
     * @param uid the VMM's user
     */
    static void save(Path qmpSocket, Path socket, int uid, Path state) throws IOException {
        try (Qmp qmp = Qmp.connect(qmpSocket);
                ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            ScratchDisks.own(socket, uid);
            Watchdog.within(SAVED_WITHIN, () -> closeAll(qmp, server), () -> {
                leaveMemoryInItsFile(qmp);
                qmp.execute("migrate", Qmp.arguments().put("uri", "unix:" + socket));
                return receive(server, state);
            });
            Watchdog.within(SAVED_WITHIN, () -> closeAll(qmp), () -> awaitCompleted(qmp));
        }
    }

    private static long receive(ServerSocketChannel server, Path state) throws IOException {
        try (SocketChannel vmm = server.accept()) {
            return Watchdog.within(
                    SAVED_WITHIN, () -> closeAll(vmm), () -> Files.copy(Channels.newInputStream(vmm), state));
        }
    }

    private static String awaitCompleted(Qmp qmp) throws IOException {
        String status = "";
        while (!status.equals("completed")) {
            if (status.equals("failed") || status.equals("cancelled")) {
                throw new IOException("QEMU could not save the VM: " + status);
            }
            pause();
            status =
                    qmp.execute("query-migrate", Qmp.arguments()).path("status").asText();
        }
        return status;
    }

    /** Whoever waits for one of them fails. */
    private static void closeAll(AutoCloseable... all) {
        for (AutoCloseable each : all) {
            try {
                each.close();
            } catch (Exception e) {
                log.debug("{} did not close cleanly", each, e);
            }
        }
    }

    /** Begins to restore; the guest's first word tells that it has been, the VMM's end that it can't be. */
    static void restore(Path qmpSocket) throws IOException {
        try (Qmp qmp = Qmp.connect(qmpSocket)) {
            Watchdog.within(BEGUN_WITHIN, () -> closeAll(qmp), () -> {
                leaveMemoryInItsFile(qmp);
                return qmp.execute("migrate-incoming", Qmp.arguments().put("uri", VmOrigin.STATE_URI));
            });
        }
    }

    /** Whether the VM still waits for it to begin; whoever started it has ended in between. */
    static boolean waitsForRestore(Path qmpSocket) throws IOException {
        try (Qmp qmp = Qmp.connect(qmpSocket)) {
            return Watchdog.within(
                            BEGUN_WITHIN, () -> closeAll(qmp), () -> qmp.execute("query-status", Qmp.arguments()))
                    .path("status")
                    .asText()
                    .equals("inmigrate");
        }
    }

    private static void leaveMemoryInItsFile(Qmp qmp) throws IOException {
        ObjectNode arguments = Qmp.arguments();
        arguments
                .putArray("capabilities")
                .addObject()
                .put("capability", "x-ignore-shared")
                .put("state", true);
        qmp.execute("migrate-set-capabilities", arguments);
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(10);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while a template is saved");
        }
    }
}
