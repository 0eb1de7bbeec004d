package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** No connection stays for ever, and none is cut that gets on or that GitLab takes its time to answer. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StalledConnectionTest {

    private static final Duration IDLE = Duration.ofSeconds(2);
    private static final Duration SHORT = Duration.ofSeconds(1);
    private static final String LOG = "PATCH /api/v4/jobs/7/trace HTTP/1.1\r\nHost: x\r\nJOB-TOKEN: job-token-7\r\n";

    private RelayBetween between;

    @BeforeEach
    void open() throws IOException {
        between = new RelayBetween(new RelaySettings(64, SHORT, IDLE, SHORT));
    }

    @AfterEach
    void close() throws IOException {
        between.close();
    }

    @Test
    void aGuestThatSaysNothingIsClosed() throws IOException {
        try (Socket guest = between.guest("")) {
            assertThat(RelayBetween.rest(guest)).isEmpty();
        }
    }

    @Test
    void aHeadThatTricklesInIsCut() throws Exception {
        try (Socket guest = between.guest("PUT /api/v4/jobs/7 HTTP/1.1\r\n")) {
            CompletableFuture<Void> trickle =
                    CompletableFuture.runAsync(() -> trickle(guest, "X-Slow: 1\r\n"), between.threads);
            assertThat(RelayBetween.rest(guest)).isEmpty();
            trickle.get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void aGuestThatStopsSendingGets503AndGitLabsConnectionIsClosed() throws IOException {
        try (Socket guest = between.guest(LOG + "Content-Length: 100\r\n\r\nhalf");
                Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            assertThat(RelayBetween.rest(gitlab)).isEqualTo("half");
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 503 ");
            assertThat(between.job.underWay).hasValue(0);
        }
    }

    @Test
    void aGitLabThatNeverAnswersIs503() throws IOException {
        try (Socket guest = between.guest(LOG + "Content-Length: 2\r\n\r\nab");
                Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            assertThat(RelayBetween.rest(gitlab)).isEqualTo("ab");
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 503 ");
            assertThat(between.job.underWay).hasValue(0);
        }
    }

    /** What a guest sends behind its request does not pass for progress. */
    @Test
    void aGitLabThatNeverAnswersIs503ThoughTheGuestGoesOnSending() throws Exception {
        try (Socket guest = between.guest(LOG + "Content-Length: 2\r\n\r\nab");
                Socket gitlab = between.gitlab()) {
            CompletableFuture<Void> trickle = CompletableFuture.runAsync(
                    () -> trickle(guest, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n"), between.threads);
            RelayBetween.head(gitlab);
            assertThat(RelayBetween.rest(gitlab)).isEqualTo("ab");
            assertThat(RelayBetween.head(guest)).startsWith("HTTP/1.1 503 ");
            RelayBetween.rest(guest);
            trickle.get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void aGitLabThatTakesItsTimeIsWaitedFor() throws IOException {
        try (Socket guest = between.guest(LOG + "Content-Length: 2\r\n\r\nab");
                Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            LockSupport.parkNanos(IDLE.toNanos() * 2 / 3);
            RelayBetween.write(gitlab, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 202 ");
        }
    }

    @Test
    void aSlowTransferIsNotCutHoweverLongItTakes() throws IOException {
        try (Socket guest = between.guest("GET /api/v4/jobs/3/artifacts HTTP/1.1\r\nHost: x\r\n\r\n");
                Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            RelayBetween.write(gitlab, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
            for (int i = 0; i < 8; i++) {
                LockSupport.parkNanos(IDLE.toNanos() / 4);
                RelayBetween.write(gitlab, "x");
            }
            assertThat(RelayBetween.rest(guest)).endsWith("\r\n\r\nxxxxxxxx");
        }
    }

    @Test
    void aDownloadThatBreaksOffIsCutSoThatTheGuestSeesIt() throws IOException {
        try (Socket guest = between.guest("GET /api/v4/jobs/3/artifacts HTTP/1.1\r\nHost: x\r\n\r\n");
                Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            RelayBetween.write(gitlab, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            assertThat(RelayBetween.rest(guest)).endsWith("\r\n\r\nhalf");
            assertThat(RelayBetween.rest(gitlab)).isEmpty();
        }
    }

    @Test
    void aGuestThatDoesNotReadItsDownloadIsCut() throws Exception {
        try (Socket guest = between.guest("GET /api/v4/jobs/3/artifacts HTTP/1.1\r\nHost: x\r\n\r\n");
                Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            RelayBetween.write(gitlab, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
            CompletableFuture<Void> download = CompletableFuture.runAsync(() -> fill(gitlab), between.threads);
            download.get(20, TimeUnit.SECONDS);
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void aGuestWhoseAnswerIsNotToBeHadIsClosed() throws IOException {
        between.job.payload = new CompletableFuture<>();
        try (Socket guest = between.guest("POST /api/v4/jobs/request HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")) {
            assertThat(RelayBetween.rest(guest)).isEmpty();
        }
    }

    /** More than sockets hold, so that it can't be sent to its end. */
    @Test
    void aGuestThatDoesNotReadItsPayloadIsClosed() throws Exception {
        between.job.payload = CompletableFuture.completedStage(Optional.of(new byte[64 << 20]));
        try (Socket guest = between.guest("POST /api/v4/jobs/request HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")) {
            between.threads.submit(() -> trickle(guest, "x")).get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void aGuestThatLeavesFreesGitLabsConnection() throws IOException {
        Socket guest = between.guest(LOG + "Content-Length: 2\r\n\r\nab");
        try (Socket gitlab = between.gitlab()) {
            RelayBetween.head(gitlab);
            guest.close();
            gitlab.setSoTimeout((int) IDLE.toMillis() / 2);
            assertThat(RelayBetween.rest(gitlab)).isEqualTo("ab");
            assertThat(between.job.underWay).hasValue(0);
        }
    }

    @Test
    void aBodyThatTurnsIntoGarbageEndsBothConnectionsAtOnce() throws IOException {
        try (Socket guest = between.guest(LOG + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nno size\r\n");
                Socket gitlab = between.gitlab()) {
            assertThat(RelayBetween.head(guest)).startsWith("HTTP/1.1 400 ");
            RelayBetween.head(gitlab);
            gitlab.setSoTimeout((int) IDLE.toMillis() / 2);
            assertThat(RelayBetween.rest(gitlab)).startsWith("2\r\nab").doesNotContain("0\r\n\r\n");
            assertThat(between.job.underWay).hasValue(0);
        }
    }

    /** Until the other side has closed. */
    private static void trickle(Socket to, String piece) {
        try {
            while (true) {
                RelayBetween.write(to, piece);
                LockSupport.parkNanos(100_000_000);
            }
        } catch (IOException closed) {
            // what it waits for
        }
    }

    private static void fill(Socket to) {
        try {
            while (true) {
                to.getOutputStream().write(new byte[1 << 16]);
            }
        } catch (IOException closed) {
            // what it waits for
        }
    }
}
