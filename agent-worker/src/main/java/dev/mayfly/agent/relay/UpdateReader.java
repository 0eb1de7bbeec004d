package dev.mayfly.agent.relay;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** Looks over the shoulder of a {@code PUT}: keeps a copy of its body, if that is small, and reads the job's state from it. */
final class UpdateReader {

    private static final ObjectMapper JSON = new ObjectMapper();
    /** Ten times what a runner sends. */
    private static final int LIMIT = 1 << 15;

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

    /** A text field of the body; null if there is none, or the body isn't there as a whole. */
    @Nullable
    String field(String name) {
        try {
            JsonNode field = JSON.readTree(copy.toByteArray()).path(name);
            return field.isTextual() ? field.asText() : null;
        } catch (IOException e) {
            return null;
        }
    }
}
