package dev.mayfly.agent.vm.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.mayfly.agent.guest.UnixStream;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listens to QEMU's events of one VM for the one that its exit status does not tell: that the guest's kernel panicked. */
final class QmpEvents implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(QmpEvents.class);
    private static final int LONGEST_LINE = 64 * 1024;
    private static final String NEGOTIATE = "{\"execute\":\"qmp_capabilities\"}\n";

    private final String slotId;
    private final Path socket;
    private final ObjectMapper json = JsonMapper.builder().build();
    private final CompletableFuture<Void> panicked = new CompletableFuture<>();
    private final Thread reader;
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

    private void readUntilClosed() {
        while (!closed) {
            try (UnixStream stream = UnixStream.connect(socket)) {
                stream.write(ByteBuffer.wrap(NEGOTIATE.getBytes(StandardCharsets.UTF_8)));
                InputStream in = new BufferedInputStream(stream.in());
                for (byte[] line = line(in); line.length > 0; line = line(in)) {
                    hear(json.readTree(line));
                }
            } catch (IOException e) {
                // Expected while the VMM starts and once it has ended; the guard's files tell which.
                log.trace("slot {}: QMP", slotId, e);
            }
            pause();
        }
    }

    /** The next line, empty at the stream's end. Bounded, as a guest may have taken its VMM over. */
    private static byte[] line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next >= 0; next = in.read()) {
            line.write(next);
            if (next == '\n') {
                return line.toByteArray();
            }
            if (line.size() > LONGEST_LINE) {
                throw new IOException("QEMU said a line of more than %d bytes".formatted(LONGEST_LINE));
            }
        }
        return new byte[0];
    }

    private void hear(JsonNode message) {
        switch (message.path("event").asText()) {
            case "GUEST_PANICKED" -> panicked.complete(null);
            case "SHUTDOWN" ->
                log.info(
                        "slot {}: VM shuts down: {}",
                        slotId,
                        message.path("data").path("reason").asText());
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
