package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.DoubleAccumulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever the size, nothing is changed and the agent's memory hardly grows. The sizes are full with {@code mayfly.all}. */
@Timeout(value = 580, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BigStreamsTest {

    private static final boolean ALL = Boolean.getBoolean("mayfly.all");
    private static final long ARTIFACT = ALL ? 2L << 30 : 128L << 20;
    private static final int LOG_PIECES = ALL ? 300 : 30;
    private static final int LOG_PIECE = 1 << 20;
    private static final int JOBS = 20;
    private static final long OF_EACH_JOB = ALL ? 50L << 20 : 4L << 20;
    private static final double MOST_MORE_MIB = 32;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private BulkGitLab gitlab;
    private RelayAlone relay;
    private double atRest;

    @BeforeEach
    void open() throws IOException {
        gitlab = new BulkGitLab(0);
        begin();
    }

    private void begin() throws IOException {
        relay = RelayAlone.start(gitlab.port());
        upload(1, 1 << 20);
        download(1, 1 << 20, 0);
        atRest = relay.residentMib();
    }

    @AfterEach
    void close() throws IOException {
        relay.close();
        gitlab.close();
        threads.shutdownNow();
    }

    @Test
    void anArtifactUpAndDown() throws Exception {
        assertThat(mostMore(() -> upload(1, ARTIFACT))).isLessThan(MOST_MORE_MIB);
        assertThat(mostMore(() -> download(1, ARTIFACT, 0))).isLessThan(MOST_MORE_MIB);
    }

    @Test
    void aLogOfManyPieces() throws Exception {
        assertThat(mostMore(() -> log(LOG_PIECES))).isLessThan(MOST_MORE_MIB);
    }

    @Test
    void twentyJobsAtOnce() throws Exception {
        assertThat(mostMore(() -> together(0))).isLessThan(MOST_MORE_MIB);
    }

    @Test
    void twentyJobsWhoseGuestsReadSlowly() throws Exception {
        assertThat(mostMore(() -> together(2))).isLessThan(MOST_MORE_MIB);
    }

    @Test
    void twentyJobsAtASlowGitLab() throws Exception {
        relay.close();
        gitlab.close();
        gitlab = new BulkGitLab(2);
        begin();
        assertThat(mostMore(() -> together(0))).isLessThan(MOST_MORE_MIB);
    }

    private interface Transfer {
        void run() throws Exception;
    }

    /** How many MiB of resident memory the relay's process took at the most, more than at rest. */
    private double mostMore(Transfer transfer) throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        DoubleAccumulator most = new DoubleAccumulator(Math::max, 0);
        CompletableFuture<Void> watch = CompletableFuture.runAsync(
                () -> {
                    do {
                        most.accumulate(resident() - atRest);
                    } while (!over.get());
                },
                threads);
        try {
            transfer.run();
        } finally {
            over.set(true);
        }
        watch.get(10, TimeUnit.SECONDS);
        return most.get();
    }

    private double resident() {
        try {
            TimeUnit.MILLISECONDS.sleep(50);
            return relay.residentMib();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Each job uploads and downloads at the same time. */
    private void together(int pauseMillis) throws Exception {
        List<CompletableFuture<Void>> transfers = new ArrayList<>();
        for (int i = 1; i <= JOBS; i++) {
            int job = i;
            transfers.add(CompletableFuture.runAsync(() -> unchecked(() -> upload(job, OF_EACH_JOB)), threads));
            transfers.add(CompletableFuture.runAsync(
                    () -> unchecked(() -> download(job, OF_EACH_JOB, pauseMillis)), threads));
        }
        for (CompletableFuture<Void> transfer : transfers) {
            transfer.get(500, TimeUnit.SECONDS);
        }
    }

    private static void unchecked(Transfer transfer) {
        try {
            transfer.run();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void upload(int job, long size) throws IOException {
        try (Socket guest = relay.guest(job)) {
            RelayBetween.write(
                    guest,
                    "POST /api/v4/jobs/%d/artifacts HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
                            .formatted(job, size));
            long sum = BulkGitLab.send(guest.getOutputStream(), size);
            assertThat(RelayBetween.rest(guest))
                    .startsWith("HTTP/1.1 201 Stored\r\n")
                    .contains("X-Sum: " + sum + "\r\n");
        }
    }

    private void download(int job, long size, int pauseMillis) throws IOException {
        try (Socket guest = relay.guest(job)) {
            RelayBetween.write(
                    guest, "GET /api/v4/jobs/%d/artifacts?size=%d HTTP/1.1\r\nHost: x\r\n\r\n".formatted(job, size));
            assertThat(RelayBetween.head(guest))
                    .startsWith("HTTP/1.1 200 Here\r\n")
                    .contains("X-Kept: yes\r\n");
            long sum = BulkGitLab.receive(guest.getInputStream(), size, pauseMillis);
            assertThat(sum).isEqualTo(BulkGitLab.sumOf(size));
        }
    }

    private void log(int pieces) throws IOException {
        for (int i = 0; i < pieces; i++) {
            try (Socket guest = relay.guest(1)) {
                long from = (long) i * LOG_PIECE;
                RelayBetween.write(
                        guest,
                        "PATCH /api/v4/jobs/1/trace HTTP/1.1\r\nHost: x\r\nContent-Range: %d-%d\r\nContent-Length: %d\r\n\r\n"
                                .formatted(from, from + LOG_PIECE - 1, LOG_PIECE));
                long sum = BulkGitLab.send(guest.getOutputStream(), LOG_PIECE);
                assertThat(RelayBetween.rest(guest))
                        .startsWith("HTTP/1.1 201 Stored\r\n")
                        .contains("X-Sum: " + sum + "\r\n", "X-Range: %d-%d\r\n".formatted(from, from + LOG_PIECE - 1));
            }
        }
    }
}
