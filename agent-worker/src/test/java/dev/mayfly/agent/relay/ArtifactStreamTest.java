package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An artifact passes through the relay no faster than its receiver takes it, and whole. */
@Timeout(60)
class ArtifactStreamTest {

    private static final long SIZE = 200L << 20;
    private static final String UPLOAD = "POST /api/v4/jobs/7/artifacts HTTP/1.1\r\nHost: x\r\n";
    /** What sockets and the relay's write buffers may hold between the two ends. */
    private static final long BETWEEN = 48L << 20;

    @Test
    void anUploadWaitsForAGitLabThatDoesNotReadAndArrivesWhole() throws Exception {
        try (ServerSocket gitlab = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                Relay relay = new Relay(RelaySettings.standard(), peer -> Optional.of(vm(gitlab)), Runnable::run)) {
            relay.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            AtomicLong sent = new AtomicLong();
            try (Socket guest =
                    new Socket(relay.address().getAddress(), relay.address().getPort())) {
                CompletableFuture<Void> upload = CompletableFuture.runAsync(() -> send(guest, UPLOAD, sent));
                try (Socket taken = gitlab.accept()) {
                    assertThat(standstill(sent)).isPositive().isLessThan(BETWEEN);
                    InputStream in = taken.getInputStream();
                    skipHead(in);
                    assertThat(drain(in)).isEqualTo(SIZE);
                    upload.get(30, TimeUnit.SECONDS);
                    taken.getOutputStream()
                            .write("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"
                                    .getBytes(StandardCharsets.UTF_8));
                    String answer = new String(guest.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                    assertThat(answer).startsWith("HTTP/1.1 201 ").endsWith("ok");
                }
            }
        }
    }

    @Test
    void aDownloadWaitsForAGuestThatDoesNotReadAndArrivesWhole() throws Exception {
        try (ServerSocket gitlab = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                Relay relay = new Relay(RelaySettings.standard(), peer -> Optional.of(vm(gitlab)), Runnable::run)) {
            relay.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            AtomicLong sent = new AtomicLong();
            try (Socket guest =
                    new Socket(relay.address().getAddress(), relay.address().getPort())) {
                guest.getOutputStream()
                        .write("GET /api/v4/jobs/7/artifacts HTTP/1.1\r\nHost: x\r\n\r\n"
                                .getBytes(StandardCharsets.UTF_8));
                try (Socket taken = gitlab.accept()) {
                    skipHead(taken.getInputStream());
                    CompletableFuture<Void> download =
                            CompletableFuture.runAsync(() -> send(taken, "HTTP/1.1 200 OK\r\n", sent));
                    assertThat(standstill(sent)).isPositive().isLessThan(BETWEEN);
                    skipHead(guest.getInputStream());
                    assertThat(drain(guest.getInputStream())).isEqualTo(SIZE);
                    download.get(30, TimeUnit.SECONDS);
                }
            }
        }
    }

    private static void send(Socket to, String head, AtomicLong sent) {
        try {
            OutputStream out = to.getOutputStream();
            out.write((head + "Content-Length: " + SIZE + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
            byte[] piece = new byte[1 << 16];
            while (sent.get() < SIZE) {
                out.write(piece);
                sent.addAndGet(piece.length);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
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

    private static void skipHead(InputStream in) throws IOException {
        int last = 0;
        while (last != 0x0d0a0d0a) {
            int next = in.read();
            assertThat(next).as("the connection ended within the head").isNotNegative();
            last = last << 8 | next;
        }
    }

    private static long drain(InputStream in) throws IOException {
        byte[] piece = new byte[1 << 16];
        long all = 0;
        while (all < SIZE) {
            int read = in.read(piece);
            if (read < 0) {
                return all;
            }
            all += read;
        }
        return all;
    }

    private static RelayedVm vm(ServerSocket gitlab) {
        RelayedJob job = new Job(new Upstream("127.0.0.1", gitlab.getLocalPort(), "", null, Duration.ofSeconds(2)));
        return new RelayedVm() {
            @Override
            public String slotId() {
                return "k3x9p-1";
            }

            @Override
            public Optional<RelayedJob> job() {
                return Optional.of(job);
            }
        };
    }

    private record Job(Upstream to) implements RelayedJob {

        @Override
        public long id() {
            return 7;
        }

        @Override
        public Set<Long> dependencies() {
            return Set.of();
        }

        @Override
        public CompletionStage<Upstream> upstream() {
            return CompletableFuture.completedStage(to);
        }

        @Override
        public CompletionStage<Optional<byte[]>> payload() {
            return CompletableFuture.completedStage(Optional.empty());
        }

        @Override
        public void updateBegins() {}

        @Override
        public CompletionStage<Void> updateAnswered(@Nullable String state, int status) {
            return CompletableFuture.completedStage(null);
        }

        @Override
        public void updateLost() {}
    }
}
