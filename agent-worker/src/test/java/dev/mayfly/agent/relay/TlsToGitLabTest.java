package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.testkit.tls.PrivateCa;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A GitLab behind TLS with a private CA, known by its name. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TlsToGitLabTest {

    private static final RelaySettings SETTINGS =
            new RelaySettings(64, Duration.ofSeconds(5), Duration.ofSeconds(3), Duration.ofMillis(300));
    private static final String DOWNLOAD = "GET /api/v4/jobs/3/artifacts HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final int SIZE = 5_000_000;
    private static final String UPLOAD =
            "POST /api/v4/jobs/7/artifacts HTTP/1.1\r\nHost: x\r\nContent-Length: " + SIZE + "\r\n\r\n";

    @TempDir
    static Path folder;

    private static PrivateCa ca;

    @BeforeAll
    static void makeCa() {
        ca = PrivateCa.openOrCreate(folder, "Test CA");
    }

    private static ServerSocket listen(String name) throws IOException {
        Path certificate = ca.issueServerCertificate(name, List.of(name), List.of());
        return ca.serverContext(certificate)
                .getServerSocketFactory()
                .createServerSocket(0, 5, InetAddress.getLoopbackAddress());
    }

    private static SslContext trustingTheCa() throws IOException {
        return SslContextBuilder.forClient().trustManager(ca.caPem().toFile()).build();
    }

    @Test
    void bodiesArriveWholeBothWays() throws Exception {
        try (RelayBetween between = new RelayBetween(SETTINGS, listen("localhost"), "localhost", trustingTheCa())) {
            try (Socket guest = between.guest(UPLOAD)) {
                Future<?> upload = send(between, guest, "u".repeat(SIZE));
                try (Socket gitlab = between.gitlab()) {
                    assertThat(RelayBetween.head(gitlab)).containsIgnoringCase("host: localhost:");
                    assertThat(gitlab.getInputStream().readNBytes(SIZE)).hasSize(SIZE);
                    RelayBetween.write(gitlab, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
                    assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 201 ");
                    upload.get(10, TimeUnit.SECONDS);
                }
            }
            try (Socket guest = between.guest(DOWNLOAD)) {
                try (Socket gitlab = between.gitlab()) {
                    RelayBetween.head(gitlab);
                    Future<?> download = send(between, gitlab, "HTTP/1.1 200 OK\r\n\r\n" + "d".repeat(SIZE));
                    assertThat(RelayBetween.head(guest)).startsWith("HTTP/1.1 200 ");
                    assertThat(guest.getInputStream().readNBytes(SIZE)).hasSize(SIZE);
                    download.get(10, TimeUnit.SECONDS);
                }
                assertThat(RelayBetween.rest(guest)).isEmpty();
            }
        }
    }

    @Test
    void anEarlyAnswerReachesTheGuest() throws Exception {
        try (RelayBetween between = new RelayBetween(SETTINGS, listen("localhost"), "localhost", trustingTheCa())) {
            for (int round = 0; round < 5; round++) {
                try (Socket guest = between.guest(UPLOAD)) {
                    Future<?> upload = send(between, guest, "u".repeat(SIZE));
                    try (Socket gitlab = between.gitlab()) {
                        RelayBetween.head(gitlab);
                        RelayBetween.write(gitlab, "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
                    }
                    assertThat(RelayBetween.head(guest)).as("round %d", round).startsWith("HTTP/1.1 413 ");
                    upload.get(10, TimeUnit.SECONDS);
                }
            }
        }
    }

    @Test
    void aServerOfAnotherNameIsNotBelieved() throws Exception {
        try (RelayBetween between = new RelayBetween(SETTINGS, listen("other.test"), "localhost", trustingTheCa())) {
            expectRefused(between);
        }
    }

    @Test
    void aServerOfAnotherCaIsNotBelieved() throws Exception {
        SslContext publicRoots = SslContextBuilder.forClient().build();
        try (RelayBetween between = new RelayBetween(SETTINGS, listen("localhost"), "localhost", publicRoots)) {
            expectRefused(between);
        }
    }

    @Test
    void aServerThatNeverAnswersTheHandshakeIs503() throws Exception {
        ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        try (RelayBetween between = new RelayBetween(SETTINGS, silent, "localhost", trustingTheCa());
                Socket guest = between.guest(DOWNLOAD);
                Socket gitlab = between.gitlab()) {
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 503 ");
            RelayBetween.rest(gitlab);
        }
    }

    private static void expectRefused(RelayBetween between) throws Exception {
        try (Socket guest = between.guest(DOWNLOAD);
                Socket gitlab = between.gitlab()) {
            Future<?> handshake =
                    between.threads.submit(() -> gitlab.getInputStream().read());
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 503 ");
            assertThat(handshake)
                    .failsWithin(Duration.ofSeconds(10))
                    .withThrowableThat()
                    .withMessageContaining("SSL");
        }
    }

    private static Future<?> send(RelayBetween between, Socket to, String text) {
        return between.threads.submit(() -> {
            RelayBetween.write(to, text);
            return null;
        });
    }
}
