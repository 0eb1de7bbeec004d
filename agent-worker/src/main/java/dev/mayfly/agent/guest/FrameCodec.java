package dev.mayfly.agent.guest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Frames of the control channel: four bytes of length, big endian, then so many bytes of a JSON object with a
 * {@code type}, at most 64 KiB. What comes in was written by a guest that may be hostile.
 */
public final class FrameCodec {

    /** The most a frame's JSON may hold. */
    public static final int LIMIT = 64 * 1024;

    private final ObjectMapper json = JsonMapper.builder().build();

    /** An empty frame of this type. */
    public ObjectNode frame(String type) {
        return json.createObjectNode().put("type", type);
    }

    /** The frame as bytes. */
    public ByteBuffer encode(ObjectNode frame) throws IOException {
        byte[] body = json.writeValueAsBytes(frame);
        if (body.length > LIMIT) {
            throw new IOException("a frame of %d bytes is over the limit of %d".formatted(body.length, LIMIT));
        }
        ByteBuffer bytes = ByteBuffer.allocate(4 + body.length);
        return bytes.putInt(body.length).put(body).flip();
    }

    /**
     * Reads the next frame.
     *
     * @return null at the stream's end
     * @throws IOException if it is over the limit, no JSON object, or has no type; the connection is to be closed then
     */
    public @Nullable ObjectNode read(DataInputStream in) throws IOException {
        int length;
        try {
            length = in.readInt();
        } catch (EOFException end) {
            return null;
        }
        if (length < 2 || length > LIMIT) {
            throw new IOException("a frame of %d bytes is outside 2 to %d".formatted(length & 0xffffffffL, LIMIT));
        }
        byte[] body = new byte[length];
        in.readFully(body);
        JsonNode frame;
        try {
            frame = json.readTree(body);
        } catch (JsonProcessingException e) {
            throw new IOException("a frame is no JSON", e);
        }
        if (!(frame instanceof ObjectNode object) || !frame.path("type").isTextual()) {
            throw new IOException("a frame is no JSON object with a type");
        }
        return object;
    }
}
