package dev.mayfly.agent.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a registry process hears of a guest's request, and the guest of its answer: nothing but what an image needs. */
class PassedOnTest {

    @TempDir
    Path folder;

    @Test
    void aRegistryHearsNothingOfWhoAsksAndAGuestNothingOfWhoAnswers() throws Exception {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(folder.resolve("s"));
        Backend backend = new Backend();
        try (ServerSocketChannel registry =
                        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
                RegistryFront front = new RegistryFront(backend, Map.of(), RegistryFront.Limits.standard())) {
            var unused = backend.serve(folder.resolve("s"), () -> {});
            front.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            CompletableFuture<String> heard = CompletableFuture.supplyAsync(() -> heardBy(registry));
            String answer;
            try (Socket guest =
                    new Socket(InetAddress.getLoopbackAddress(), front.address().getPort())) {
                guest.getOutputStream().write("""
                                GET /v2/library/busybox/manifests/1 HTTP/1.1\r
                                Host: 169.254.169.253\r
                                Accept: one\r
                                Accept: two\r
                                Range: bytes=0-\r
                                Authorization: Basic dXNlcjpwYXNz\r
                                X-Registry-Auth: dXNlcjpwYXNz\r
                                Cookie: a=b\r
                                X-Forwarded-For: 192.0.2.1\r
                                Proxy-Authorization: Basic dXNlcjpwYXNz\r
                                \r
                                """.getBytes(StandardCharsets.US_ASCII));
                answer = new String(guest.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            }
            assertThat(heard.get().lines().map(String::toLowerCase))
                    .containsExactlyInAnyOrder(
                            "get /v2/library/busybox/manifests/1 http/1.1",
                            "accept: one",
                            "accept: two",
                            "range: bytes=0-",
                            "host: registry",
                            "connection: close",
                            "");
            assertThat(answer.lines().map(String::toLowerCase))
                    .containsExactlyInAnyOrder(
                            "http/1.1 200 ok",
                            "content-type: text/plain",
                            "content-length: 2",
                            "connection: close",
                            "",
                            "ok");
        }
    }

    private static String heardBy(ServerSocketChannel registry) {
        try (SocketChannel connection = registry.accept()) {
            StringBuilder head = new StringBuilder();
            ByteBuffer bytes = ByteBuffer.allocate(10_000);
            while (head.indexOf("\r\n\r\n") < 0 && connection.read(bytes) >= 0) {
                head.append(StandardCharsets.US_ASCII.decode(bytes.flip()));
                bytes.clear();
            }
            connection.write(ByteBuffer.wrap(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\nLocation: http://192.0.2.1/\r\nServer: x\r\n\r\nok"
                            .getBytes(StandardCharsets.US_ASCII)));
            return head.toString();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
