package dev.mayfly.demo.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** What a job's runner asks of GitLab, straight or through the relay; each call on a connection of its own. */
final class RelayTransfers {

    private static final String BOUNDARY = "bench-boundary";
    private static final String HEAD = "--" + BOUNDARY
            + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.zip\"\r\n"
            + "Content-Type: application/octet-stream\r\n\r\n";
    private static final String TAIL = "\r\n--" + BOUNDARY + "--\r\n";
    private static final int BLOCK = 1 << 16;

    private final URI base;
    private final long job;
    private final String token;

    /** @param base of GitLab or of the relay */
    RelayTransfers(URI base, long job, String token) {
        this.base = base;
        this.job = job;
        this.token = token;
    }

    /** {@code PUT state=running}, the smallest call there is. */
    Duration touch() {
        byte[] body = ascii("{\"token\":\"%s\",\"state\":\"running\"}".formatted(token));
        return timed("PUT", "", "application/json", 200, body, 0, new byte[0]);
    }

    /** Uploads so many bytes as the job's artifact; GitLab takes the same one as often as one likes. */
    Duration upload(long size) {
        String type = "multipart/form-data; boundary=" + BOUNDARY;
        return timed(
                "POST",
                "/artifacts?artifact_format=zip&artifact_type=archive",
                type,
                201,
                ascii(HEAD),
                size,
                ascii(TAIL));
    }

    /** Downloads the artifact, which has so many bytes. */
    Duration download(long size) {
        long begun = System.nanoTime();
        try {
            HttpURLConnection call = call("GET", "/artifacts");
            long came = end(call, 200);
            if (came != size) {
                throw new IllegalStateException("%s sent %d bytes instead of %d".formatted(call.getURL(), came, size));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("download from " + base, e);
        }
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    private Duration timed(
            String method, String path, String type, int expected, byte[] head, long zeros, byte[] tail) {
        long begun = System.nanoTime();
        try {
            HttpURLConnection call = call(method, path);
            call.setRequestProperty("Content-Type", type);
            call.setDoOutput(true);
            call.setFixedLengthStreamingMode(head.length + zeros + tail.length);
            try (OutputStream out = call.getOutputStream()) {
                out.write(head);
                byte[] block = new byte[BLOCK];
                for (long left = zeros; left > 0; left -= BLOCK) {
                    out.write(block, 0, (int) Math.min(BLOCK, left));
                }
                out.write(tail);
            }
            end(call, expected);
        } catch (IOException e) {
            throw new UncheckedIOException(method + " to " + base, e);
        }
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    private HttpURLConnection call(String method, String path) throws IOException {
        HttpURLConnection call = (HttpURLConnection)
                base.resolve("/api/v4/jobs/" + job + path).toURL().openConnection();
        call.setRequestMethod(method);
        call.setRequestProperty("JOB-TOKEN", token);
        return call;
    }

    /** Reads the answer's body to its end, and says how long it was. */
    private static long end(HttpURLConnection call, int expected) throws IOException {
        if (call.getResponseCode() != expected) {
            throw new IllegalStateException(
                    "%s: %d instead of %d".formatted(call.getURL(), call.getResponseCode(), expected));
        }
        try (InputStream in = call.getInputStream()) {
            return in.transferTo(OutputStream.nullOutputStream());
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
