package dev.mayfly.agent.relay;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** Looks over an update's shoulder: keeps a copy of its body, if that is small, and reads the job's state from it. */
final class StateReader {

    private static final int LIMIT = 1 << 20;

    private final ObjectMapper json = new ObjectMapper();
    private final ByteArrayOutputStream copy = new ByteArrayOutputStream();

    void add(ByteBuf piece) {
        if (copy.size() + piece.readableBytes() <= LIMIT) {
            try {
                piece.getBytes(piece.readerIndex(), copy, piece.readableBytes());
            } catch (IOException e) {
                throw new UncheckedIOException("memory does not fail", e);
            }
        }
    }

    /** What the update says of the job; null if it is none, or its body isn't there as a whole. */
    @Nullable
    String state() {
        try {
            JsonNode state = json.readTree(copy.toByteArray()).path("state");
            return state.isTextual() ? state.asText() : null;
        } catch (IOException e) {
            return null;
        }
    }
}
