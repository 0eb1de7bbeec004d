package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An artifact passes through the relay no faster than its receiver takes it, and whole. */
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ArtifactStreamTest {

    private static final int PIECE = 1 << 16;
    private static final int PIECES = 3200;
    /** 200 MiB. */
    private static final long SIZE = (long) PIECES * PIECE;
    /** What sockets and the relay's write buffers may hold between the two ends. */
    private static final long BETWEEN = 48L << 20;

    /** How a body says where it ends. */
    enum Framing {
        LENGTH("Content-Length: " + SIZE, "", ""),
        CHUNKED("Transfer-Encoding: chunked", "10000\r\n", "\r\n");

        private final String header;
        private final String before;
        private final String after;

        Framing(String header, String before, String after) {
            this.header = header;
            this.before = before;
            this.after = after;
        }
    }

    @ParameterizedTest
    @EnumSource
    void anUploadWaitsForAGitLabThatDoesNotReadAndArrivesWhole(Framing framing) throws Exception {
        AtomicLong sent = new AtomicLong();
        try (RelayBetween between = new RelayBetween(RelaySettings.standard());
                Socket guest = between.guest("POST /api/v4/jobs/7/artifacts HTTP/1.1\r\nHost: x\r\n")) {
            CompletableFuture<Void> upload =
                    CompletableFuture.runAsync(() -> send(guest, framing, sent), between.threads);
            try (Socket gitlab = between.gitlab()) {
                assertThat(standstill(sent)).isPositive().isLessThan(BETWEEN);
                assertThat(RelayBetween.head(gitlab)).contains(framing.header);
                assertThat(drain(gitlab.getInputStream(), framing)).isEqualTo(SIZE);
                upload.get(30, TimeUnit.SECONDS);
                RelayBetween.write(gitlab, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok");
                assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 201 ").endsWith("ok");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDownloadWaitsForAGuestThatDoesNotReadAndArrivesWhole(Framing framing) throws Exception {
        AtomicLong sent = new AtomicLong();
        try (RelayBetween between = new RelayBetween(RelaySettings.standard());
                Socket guest = between.guest("GET /api/v4/jobs/3/artifacts HTTP/1.1\r\nHost: x\r\n\r\n");
                Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            RelayBetween.write(gitlab, "HTTP/1.1 200 OK\r\n");
            CompletableFuture<Void> download =
                    CompletableFuture.runAsync(() -> send(gitlab, framing, sent), between.threads);
            assertThat(standstill(sent)).isPositive().isLessThan(BETWEEN);
            assertThat(RelayBetween.head(guest)).startsWith("HTTP/1.1 200 OK");
            assertThat(drain(guest.getInputStream(), framing)).isEqualTo(SIZE);
            download.get(30, TimeUnit.SECONDS);
        }
    }

    private static void send(Socket to, Framing framing, AtomicLong sent) {
        try {
            OutputStream out = to.getOutputStream();
            out.write(ascii(framing.header + "\r\n\r\n"));
            byte[] piece = new byte[PIECE];
            for (int i = 0; i < PIECES; i++) {
                out.write(ascii(framing.before));
                out.write(piece);
                out.write(ascii(framing.after));
                sent.addAndGet(PIECE);
            }
            out.write(ascii(framing == Framing.CHUNKED ? "0\r\n\r\n" : ""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** How much was sent when nothing more went for half a second. */
    private static long standstill(AtomicLong sent) {
        long before = -1;
        while (sent.get() != before || before == 0) {
            before = sent.get();
            LockSupport.parkNanos(500_000_000);
        }
        return before;
    }

    /** Reads a body to its end, and returns its size. */
    private static long drain(InputStream in, Framing framing) throws IOException {
        if (framing == Framing.LENGTH) {
            return skip(in, SIZE);
        }
        long all = 0;
        for (long chunk = chunkSize(in); chunk > 0; chunk = chunkSize(in)) {
            all += skip(in, chunk);
            assertThat(in.readNBytes(2)).containsExactly('\r', '\n');
        }
        assertThat(in.readNBytes(2)).containsExactly('\r', '\n');
        return all;
    }

    private static long chunkSize(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            assertThat(next).isNotNegative();
            line.append((char) next);
        }
        return Long.parseLong(line.toString().strip(), 16);
    }

    private static long skip(InputStream in, long size) throws IOException {
        byte[] piece = new byte[PIECE];
        long left = size;
        while (left > 0) {
            int read = in.read(piece, 0, (int) Math.min(piece.length, left));
            if (read < 0) {
                break;
            }
            left -= read;
        }
        return size - left;
    }
}
