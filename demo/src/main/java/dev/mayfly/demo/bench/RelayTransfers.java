package dev.mayfly.demo.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** What a job's runner asks of GitLab, straight or through the relay. Each call has a connection of its own, as through the relay. */
final class RelayTransfers {

    private static final String BOUNDARY = "bench-boundary";
    private static final byte[] BLOCK = new byte[1 << 16];

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
        String body = "{\"token\":\"%s\",\"state\":\"running\"}".formatted(token);
        HttpRequest request = request("/api/v4/jobs/" + job)
                .header("Content-Type", "application/json")
                .PUT(BodyPublishers.ofString(body))
                .build();
        return timed(request, 200, 0);
    }

    /** Uploads an archive of so many bytes as the job's artifact. */
    Duration upload(long size) {
        byte[] head = """
                --%s\r
                Content-Disposition: form-data; name="file"; filename="a.zip"\r
                Content-Type: application/octet-stream\r
                \r
                """.formatted(BOUNDARY).getBytes(StandardCharsets.US_ASCII);
        byte[] tail = "\r\n--%s--\r\n".formatted(BOUNDARY).getBytes(StandardCharsets.US_ASCII);
        HttpRequest request = request("/api/v4/jobs/" + job + "/artifacts?artifact_format=zip&artifact_type=archive")
                .header("Content-Type", "multipart/form-data; boundary=" + BOUNDARY)
                .POST(BodyPublishers.concat(
                        BodyPublishers.ofByteArray(head),
                        BodyPublishers.fromPublisher(BodyPublishers.ofInputStream(() -> new Zeros(size)), size),
                        BodyPublishers.ofByteArray(tail)))
                .build();
        return timed(request, 201, 0);
    }

    /** Downloads the artifact that was uploaded, which has so many bytes. */
    Duration download(long size) {
        return timed(request("/api/v4/jobs/" + job + "/artifacts").GET().build(), 200, size);
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(base.resolve(path)).header("JOB-TOKEN", token);
    }

    private static Duration timed(HttpRequest request, int expected, long atLeast) {
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        long begun = System.nanoTime();
        try {
            HttpResponse<InputStream> answer = client.send(request, BodyHandlers.ofInputStream());
            long size = drain(answer.body());
            if (answer.statusCode() != expected || size < atLeast) {
                throw new IllegalStateException("%s %s: %d with %d bytes instead of %d with %d"
                        .formatted(request.method(), request.uri(), answer.statusCode(), size, expected, atLeast));
            }
            return Duration.ofNanos(System.nanoTime() - begun);
        } catch (IOException e) {
            throw new UncheckedIOException(request.method() + " " + request.uri(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted in a transfer", e);
        }
    }

    private static long drain(InputStream from) throws IOException {
        try (from) {
            return from.transferTo(java.io.OutputStream.nullOutputStream());
        }
    }

    /** So many bytes of zero. */
    private static final class Zeros extends InputStream {

        private long left;

        private Zeros(long size) {
            left = size;
        }

        @Override
        public int read() {
            return left-- > 0 ? 0 : -1;
        }

        @Override
        public int read(byte[] into, int offset, int length) {
            if (left <= 0) {
                return -1;
            }
            int count = (int) Math.min(Math.min(length, BLOCK.length), left);
            System.arraycopy(BLOCK, 0, into, offset, count);
            left -= count;
            return count;
        }
    }
}
