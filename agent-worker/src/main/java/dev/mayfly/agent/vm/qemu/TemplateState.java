package dev.mayfly.agent.vm.qemu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.mayfly.agent.disk.ScratchDisks;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Saves a running VM's devices, and has a VM go on from there: QEMU calls it migration. Memory is not among what is saved:
 * it stays in its file.
 */
final class TemplateState {

    private static final long SAVED_WITHIN_NANOS = 60_000_000_000L;

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
            leaveMemoryInItsFile(qmp);
            qmp.execute("migrate", Qmp.arguments().put("uri", "unix:" + socket));
            try (InputStream stream = Channels.newInputStream(server.accept())) {
                Files.copy(stream, state);
            }
            awaitCompleted(qmp);
        }
    }

    private static void awaitCompleted(Qmp qmp) throws IOException {
        long deadline = System.nanoTime() + SAVED_WITHIN_NANOS;
        for (String status = ""; !status.equals("completed"); ) {
            if (status.equals("failed") || status.equals("cancelled") || System.nanoTime() > deadline) {
                throw new IOException("QEMU could not save the VM: " + status);
            }
            pause();
            status =
                    qmp.execute("query-migrate", Qmp.arguments()).path("status").asText();
        }
    }

    /** Begins to restore; the guest's first word tells that it has been, the VMM's end that it can't be. */
    static void restore(Path qmpSocket) throws IOException {
        try (Qmp qmp = Qmp.connect(qmpSocket)) {
            leaveMemoryInItsFile(qmp);
            qmp.execute("migrate-incoming", Qmp.arguments().put("uri", VmOrigin.STATE_URI));
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
