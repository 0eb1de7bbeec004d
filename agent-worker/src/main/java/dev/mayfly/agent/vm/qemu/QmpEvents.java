package dev.mayfly.agent.vm.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listens to QEMU's events of one VM for what its exit status does not tell: that the guest panicked, or ended its VM itself. */
final class QmpEvents implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(QmpEvents.class);

    private final String slotId;
    private final Path socket;
    private final CompletableFuture<Void> panicked = new CompletableFuture<>();
    private final Thread reader;
    private volatile String guestsDoing = "";
    private volatile boolean closed;

    QmpEvents(String slotId, Path socket) {
        this.slotId = slotId;
        this.socket = socket;
        this.reader = new Thread(null, this::readUntilClosed, "qmp-" + slotId, 256 * 1024);
        reader.setDaemon(true);
    }

    void open() {
        reader.start();
    }

    /** Completes if the guest's kernel panics. */
    CompletableFuture<Void> panicked() {
        return panicked;
    }

    /** What the guest did to end its VM, as the end of a sentence; empty unless it did anything, or nobody listened then. */
    String guestsDoing() {
        return guestsDoing;
    }

    private void readUntilClosed() {
        while (!closed) {
            try (Qmp qmp = Qmp.connect(socket)) {
                for (JsonNode message = qmp.next(); !message.isMissingNode(); message = qmp.next()) {
                    hear(message);
                }
            } catch (IOException e) {
                // Expected while the VMM starts and once it has ended; the guard's files tell which.
                log.trace("slot {}: QMP", slotId, e);
            }
            pause();
        }
    }

    private void hear(JsonNode message) {
        switch (message.path("event").asText()) {
            case "GUEST_PANICKED" -> panicked.complete(null);
            case "SHUTDOWN" -> {
                String reason = message.path("data").path("reason").asText();
                log.info("slot {}: VM shuts down: {}", slotId, reason);
                switch (reason) { // QEMU's ShutdownCause; it exits with 0 after either
                    case "guest-reset" -> guestsDoing = "the guest was rebooted, which ends its VM";
                    case "guest-shutdown" -> guestsDoing = "the guest was powered off";
                    default -> {}
                }
            }
            case "BLOCK_IO_ERROR" -> log.warn("slot {}: disk error in the VM: {}", slotId, message.path("data"));
            default -> log.trace("slot {}: {}", slotId, message);
        }
    }

    private void pause() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            closed = true;
        }
    }

    @Override
    public void close() {
        closed = true;
        reader.interrupt();
    }
}
