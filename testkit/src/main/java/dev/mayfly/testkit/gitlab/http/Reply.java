package dev.mayfly.testkit.gitlab.http;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The answer to a call. Bodies are written after the instance's lock was given back, and streamed.
 *
 * @param length bytes of the body, 0 for none, -1 for unknown (chunked)
 */
public record Reply(
        int status,
        Map<String, String> headers,
        long length,
        @Nullable BodyWriter body) {
    /** Writes a body; may take long. */
    @FunctionalInterface
    public interface BodyWriter {
        void writeTo(OutputStream out) throws IOException;
    }

    public static Reply json(int status, @Nullable Object value) {
        return bytes(status, "application/json", Json.bytes(value));
    }

    public static Reply text(int status, String text) {
        return bytes(status, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
    }

    public static Reply html(String html) {
        return bytes(200, "text/html; charset=utf-8", html.getBytes(StandardCharsets.UTF_8))
                .header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    }

    public static Reply empty(int status) {
        return new Reply(status, Map.of(), 0, null);
    }

    public static Reply redirect(int status, String location) {
        return empty(status).header("Location", location);
    }

    public static Reply file(Path file, String contentType) {
        try {
            return stream(200, contentType, Files.size(file), out -> Files.copy(file, out));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static Reply stream(int status, String contentType, long length, BodyWriter body) {
        return new Reply(status, Map.of("Content-Type", contentType), length, length == 0 ? null : body);
    }

    public Reply header(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new Reply(status, more, length, body);
    }

    private static Reply bytes(int status, String contentType, byte[] bytes) {
        return stream(status, contentType, bytes.length, out -> out.write(bytes));
    }
}
