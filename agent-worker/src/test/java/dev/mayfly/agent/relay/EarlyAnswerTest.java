package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** GitLab may answer before it has read a request, and close. The guest gets that answer. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EarlyAnswerTest {

    private static final int BODY = 16 << 20;
    private static final String UPLOAD =
            "POST /api/v4/jobs/7/artifacts HTTP/1.1\r\nHost: x\r\nContent-Length: " + BODY + "\r\n\r\n";

    private RelayBetween between;

    @BeforeEach
    void open() throws IOException {
        between = new RelayBetween(RelaySettings.standard());
    }

    @AfterEach
    void close() throws IOException {
        between.close();
    }

    /** Closing over what it has not read resets the connection, while the relay still writes to it. */
    @ParameterizedTest
    @ValueSource(ints = {401, 413, 500, 503})
    void reachesAGuestThatIsStillSending(int status) throws Exception {
        for (int round = 0; round < 10; round++) {
            try (Socket guest = between.guest(UPLOAD)) {
                CompletableFuture<Integer> upload =
                        CompletableFuture.supplyAsync(() -> sendBody(guest), between.threads);
                try (Socket gitlab = between.gitlab()) {
                    RelayBetween.head(gitlab);
                    RelayBetween.write(gitlab, answer(status));
                }
                assertThat(RelayBetween.head(guest)).as("round %d", round).startsWith("HTTP/1.1 " + status + " ");
                assertThat(RelayBetween.rest(guest)).endsWith("no");
                assertThat(upload.get(20, TimeUnit.SECONDS)).isEqualTo(BODY);
            }
        }
    }

    @Test
    void reachesAGuestThatLooksForItOnlyAfterItHasSentAll() throws Exception {
        String long413 = "HTTP/1.1 413 No\r\nContent-Length: 8000000\r\n\r\n" + "n".repeat(8_000_000);
        try (Socket guest = between.guest(UPLOAD)) {
            CompletableFuture<Integer> upload = CompletableFuture.supplyAsync(() -> sendBody(guest), between.threads);
            try (Socket gitlab = between.gitlab()) {
                RelayBetween.head(gitlab);
                var unused = between.threads.submit(() -> {
                    RelayBetween.write(gitlab, long413);
                    return null;
                });
                assertThat(upload.get(20, TimeUnit.SECONDS)).isEqualTo(BODY);
                assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 413 ").endsWith("nnn");
            }
        }
    }

    @Test
    void aGitLabThatClosesWithoutAnAnswerIs503() throws Exception {
        try (Socket guest = between.guest(UPLOAD)) {
            CompletableFuture<Integer> upload = CompletableFuture.supplyAsync(() -> sendBody(guest), between.threads);
            between.gitlab().close();
            assertThat(RelayBetween.head(guest)).startsWith("HTTP/1.1 503 ");
            assertThat(upload.get(20, TimeUnit.SECONDS)).isEqualTo(BODY);
        }
    }

    private static String answer(int status) {
        return "HTTP/1.1 " + status + " No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
    }

    /** How much of the body could be sent. */
    private static int sendBody(Socket guest) {
        byte[] piece = new byte[1 << 16];
        int sent = 0;
        try {
            while (sent < BODY) {
                guest.getOutputStream().write(piece);
                sent += piece.length;
            }
        } catch (IOException closed) {
            return sent;
        }
        return sent;
    }
}
