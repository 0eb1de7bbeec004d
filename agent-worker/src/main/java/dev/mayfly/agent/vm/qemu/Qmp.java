package dev.mayfly.agent.vm.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.mayfly.agent.guest.UnixStream;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** A conversation with a VMM over QMP, QEMU's machine protocol: lines of JSON. A VMM takes part in one at a time. */
final class Qmp implements AutoCloseable {

    private static final int LONGEST_LINE = 64 * 1024;
    private static final ObjectMapper JSON = JsonMapper.builder().build();

    private final UnixStream stream;
    private final InputStream in;

    private Qmp(UnixStream stream) {
        this.stream = stream;
        this.in = new BufferedInputStream(stream.in());
    }

    /** Connects and asks for command mode; what is answered to that is among what {@link #next} returns. */
    static Qmp connect(Path socket) throws IOException {
        Qmp connected = new Qmp(UnixStream.connect(socket));
        try {
            connected.send("qmp_capabilities", JSON.createObjectNode());
            return connected;
        } catch (IOException e) {
            connected.close();
            throw e;
        }
    }

    /** An empty object for a command's arguments. */
    static ObjectNode arguments() {
        return JSON.createObjectNode();
    }

    /** Has a command carried out and returns what it answers; events that come meanwhile are dropped. */
    JsonNode execute(String command, ObjectNode arguments) throws IOException {
        send(command, arguments);
        for (JsonNode message = next(); !message.isMissingNode(); message = next()) {
            if (!message.path("id").asText().equals(command)) {
                continue;
            }
            if (message.has("error")) {
                throw new IOException("QEMU refused %s: %s"
                        .formatted(command, message.path("error").path("desc").asText()));
            }
            return message.path("return");
        }
        throw new IOException("QEMU ended while it was to do " + command);
    }

    private void send(String command, ObjectNode arguments) throws IOException {
        ObjectNode message = JSON.createObjectNode().put("execute", command).put("id", command);
        if (!arguments.isEmpty()) {
            message.set("arguments", arguments);
        }
        stream.write(ByteBuffer.wrap((JSON.writeValueAsString(message) + "\n").getBytes(UTF_8)));
    }

    /** The next message, a missing node at the stream's end. */
    JsonNode next() throws IOException {
        return JSON.readTree(line());
    }

    /** The next line, empty at the stream's end. Bounded, as a guest may have taken its VMM over. */
    private byte[] line() throws IOException {
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

    @Override
    public void close() throws IOException {
        stream.close();
    }
}
