package dev.mayfly.api.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.api.ControlPlane;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Without a configured token REST is for this machine alone. */
final class WithoutTokenTest {

    @RegisterExtension
    private static final ControlPlane CONTROL_PLANE =
            new ControlPlane(config -> config.replaceAll("apiToken: .*\n", ""));

    @Test
    void thisMachineMayAsk() {
        assertThat(CONTROL_PLANE
                        .send("GET", CONTROL_PLANE.url() + "/api/v1/jobs", Map.of(), new byte[0])
                        .status())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"X-Forwarded-For", "Forwarded", "X-Real-IP"})
    void whatAProxyPassedOnIsRefused(String header) {
        var answer = CONTROL_PLANE.send(
                "GET", CONTROL_PLANE.url() + "/api/v1/jobs", Map.of(header, "203.0.113.9"), new byte[0]);
        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.detail()).contains("set apiToken");
    }

    @Test
    void aPageElsewhereCannotCallByANameOfItsOwn() throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), CONTROL_PLANE.port())) {
            socket.getOutputStream()
                    .write("GET /api/v1/jobs HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .startsWith("HTTP/1.1 403");
        }
    }
}
