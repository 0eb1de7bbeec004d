package dev.mayfly.agent.registry;

import static dev.mayfly.agent.registry.TestArchives.digest;
import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.agent.registry.TestArchives.Image;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** No job changes what others get from their host's registry, and none keeps others from it. */
class HostileGuestTest {

    private final Image image = Image.of("a layer");
    private final Image evil = Image.of("an evil layer");
    private RegistryRig rig;
    private FakeUpstream upstream;
    private List<String> stored = List.of();

    @BeforeEach
    void begin() throws Exception {
        rig = new RegistryRig();
        upstream = new FakeUpstream();
        TestArchives.oci(rig.preload.resolve("b.tar"), "busybox:1", image);
        rig.start(
                List.of(upstream.as("docker.io")),
                100,
                new RegistryFront.Limits(
                        8,
                        Duration.ofMillis(500),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(4),
                        Duration.ofSeconds(20)));
        rig.awaitImage("/v2/library/busybox/manifests/1");
        upstream.asked.clear();
        stored = rig.stored();
    }

    @AfterEach
    void end() throws Exception {
        try {
            assertThat(rig.get("/v2/library/busybox/manifests/1").body()).isEqualTo(image.manifest());
            assertThat(rig.stored()).as("what the host keeps").isEqualTo(stored);
        } finally {
            upstream.close();
            rig.close();
        }
    }

    /** What the front answers to this very text. */
    private String answer(String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), rig.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        } catch (java.net.SocketException closedOverUnreadBytes) {
            return "";
        }
    }

    @Test
    void whateverWritesIsRefusedAndReachesNoRegistry() throws Exception {
        for (String method : List.of("PUT", "POST", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "get", "GETT")) {
            for (String path : List.of(
                    "/v2/",
                    "/v2/library/busybox/manifests/1",
                    "/v2/library/busybox/manifests/" + digest(image.manifest()),
                    "/v2/library/busybox/blobs/" + digest(image.layer()),
                    "/v2/library/busybox/blobs/uploads/",
                    "/v2/library/busybox/blobs/uploads/?mount=" + digest(image.layer()) + "&from=library/other",
                    "/v2/library/busybox/blobs/uploads/0e5f1c4c-8f0d-4d8a-9c5f-3f2f5f0f0f0f?digest="
                            + digest(evil.layer()))) {
                assertThat(answer("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".formatted(method, path)))
                        .as(method + " " + path)
                        .startsWith("HTTP/1.1 405 ");
            }
        }
        assertThat(upstream.asked).isEmpty();
    }

    @Test
    void aBodyIsNoPartOfAPull() throws Exception {
        String path = "/v2/library/busybox/manifests/1";
        for (String headers : List.of(
                "Content-Length: 5\r\n\r\nhello",
                "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello",
                "X-HTTP-Method-Override: PUT\r\nContent-Length: 5\r\n\r\nhello")) {
            assertThat(answer("GET %s HTTP/1.1\r\nHost: x\r\n%s".formatted(path, headers)))
                    .as(headers)
                    .startsWith("HTTP/1.1 400 ");
        }
        String smuggled = "PUT %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".formatted(path);
        assertThat(answer("GET %s HTTP/1.1\r\nHost: x\r\nAccept: */*, %s\r\n\r\n%s"
                        .formatted(path, TestArchives.MANIFEST, smuggled)))
                .as("a second request is not read")
                .startsWith("HTTP/1.1 200 ")
                .containsOnlyOnce("HTTP/1.1");
        assertThat(upstream.asked).isEmpty();
    }

    @Test
    void anAddressThatIsWrittenInAnotherWayMeansNothing() throws Exception {
        String layer = "/blobs/" + digest(image.layer());
        List<String> tricks = new ArrayList<>(List.of(
                "/",
                "/v2",
                "/v1/_ping",
                "/v2/_catalog",
                "/v2/library/busybox/tags/list",
                "/v2//library/busybox/manifests/1",
                "/v2/library/../library/busybox/manifests/1",
                "/v2/library/busybox/../busybox/manifests/1",
                "/v2/../v2/library/busybox/manifests/1",
                "/v2/library%2Fbusybox/manifests/1",
                "/v2/library/busybox/manifests/%31",
                "/v2/library/busybox/manifests/1?ns=quay.io",
                "/v2/library/busybox/manifests/1#x",
                "/v2/library/busybox/manifests/1/",
                "/v2/library/busybox/manifests/..",
                "/v2/library/busybox/manifests/.hidden",
                "/v2/library/busybox/blobs/sha256:../../../etc/passwd",
                "/v2/library/busybox/blobs/sha512:" + "0".repeat(128),
                "/v2/library/busybox" + layer + "/../uploads",
                "/v2/Library/Busybox/manifests/1",
                "/v2/library/_busybox/manifests/1",
                "/v2/./manifests/1",
                "/v2/.../manifests/1",
                "/v2/a/b/./c/manifests/1",
                "http://127.0.0.1/v2/library/busybox/manifests/1",
                "//evil.org/v2/library/busybox/manifests/1",
                "*",
                "/v2/" + "a/".repeat(200) + "b/manifests/1"));
        for (String trick : tricks) {
            assertThat(answer("GET %s HTTP/1.1\r\nHost: x\r\n\r\n".formatted(trick)))
                    .as(trick)
                    .startsWith("HTTP/1.1 404 ");
        }
        assertThat(upstream.asked).isEmpty();
    }

    @Test
    void whatIsNoHttpIsRefused() throws Exception {
        for (String request : List.of(
                "hello\r\n\r\n",
                "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\r\n\r\n",
                "GET /v2/library/busybox/manifests/1 HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n".repeat(10_000) + "\r\n",
                "GET /" + "a".repeat(10_000) + " HTTP/1.1\r\nHost: x\r\n\r\n")) {
            assertThat(answer(request)).as(request.substring(0, 5)).matches("(?s)|HTTP/1.1 4\\d\\d .*");
        }
    }

    @Test
    void aRequestThatDoesNotComeToItsEndIsCutOff() throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), rig.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write('G');
            assertThat(socket.getInputStream().read())
                    .as("closed without a word")
                    .isEqualTo(-1);
        }
    }

    @Test
    void aGuestHoldsNoMoreConnectionsThanItMay() throws Exception {
        Duration never = Duration.ofMinutes(10);
        rig.start(List.of(), 100, new RegistryFront.Limits(8, never, never, never, never));
        List<Socket> open = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                open.add(new Socket(InetAddress.getLoopbackAddress(), rig.port()));
                open.get(i).setSoTimeout(10_000);
            }
            try (Socket ninth = new Socket(InetAddress.getLoopbackAddress(), rig.port())) {
                ninth.setSoTimeout(10_000);
                assertThat(ninth.getInputStream().read()).isEqualTo(-1);
            }
            // Those before it are served, and one that ends makes room.
            String base = "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n";
            for (Socket socket : open) {
                socket.getOutputStream().write(base.getBytes(StandardCharsets.US_ASCII));
                assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                        .startsWith("HTTP/1.1 200");
            }
            rig.awaitImage("/v2/library/busybox/manifests/1");
            stored = rig.stored(); // the next process has a configuration of its own
        } finally {
            for (Socket socket : open) {
                socket.close();
            }
        }
    }
}
