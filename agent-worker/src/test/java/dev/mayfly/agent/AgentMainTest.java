package dev.mayfly.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentMainTest {

    @TempDir
    Path folder;

    private Path config(String controlPlane, int temporalPort) throws IOException {
        Path credential = Files.writeString(folder.resolve("credential"), "secret");
        Files.setPosixFilePermissions(credential, PosixFilePermissions.fromString("rw-------"));
        return Files.writeString(folder.resolve("agent.yml"), """
                stateDir: %1$s/state
                runDir: %1$s/run
                lockDir: %1$s/locks
                driver: simulated
                controlPlane: {url: "%2$s", credentialFile: %1$s/credential}
                temporal: {target: "127.0.0.1:%3$d"}
                """.formatted(folder, controlPlane, temporalPort));
    }

    private static String check(Path file) throws InterruptedException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        boolean fit = AgentMain.check(file, new PrintStream(out, true, StandardCharsets.UTF_8));
        return out.toString(StandardCharsets.UTF_8) + fit;
    }

    /** A control plane that tells the time and nothing else, once. */
    private static ServerSocket controlPlane(ZonedDateTime now) throws IOException {
        ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(() -> {
            try (Socket caller = server.accept()) {
                BufferedReader request =
                        new BufferedReader(new InputStreamReader(caller.getInputStream(), StandardCharsets.US_ASCII));
                while (!request.readLine().isEmpty()) {
                    // The head alone matters.
                }
                String answer = "HTTP/1.1 404 Not Found\r\nDate: %s\r\nContent-Length: 0\r\n\r\n"
                        .formatted(DateTimeFormatter.RFC_1123_DATE_TIME.format(now));
                caller.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return server;
    }

    @Test
    void aHostThatReachesEverythingIsFitAndNothingWasChanged() throws Exception {
        try (ServerSocket controlPlane = controlPlane(ZonedDateTime.now(ZoneOffset.UTC));
                ServerSocket temporal = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Path file = config("http://127.0.0.1:" + controlPlane.getLocalPort(), temporal.getLocalPort());
            assertThat(check(file)).isEqualTo(file + ": this host is fit\ntrue");
            assertThat(folder.resolve("state")).doesNotExist();
            assertThat(folder.resolve("locks")).doesNotExist();
        }
    }

    @Test
    void whatDoesNotAnswerIsNamedWithItsKey() throws Exception {
        assertThat(check(config("http://127.0.0.1:1", 1)))
                .contains("problem: the control plane at http://127.0.0.1:1 does not answer")
                .contains("correct controlPlane")
                .contains("problem: Temporal at 127.0.0.1:1 does not answer")
                .contains("correct temporal.target")
                .endsWith("2 problem(s)\nfalse");
    }

    @Test
    void aClockFarOffTheControlPlanesIsAProblem() throws Exception {
        try (ServerSocket controlPlane =
                        controlPlane(ZonedDateTime.now(ZoneOffset.UTC).plusMinutes(10));
                ServerSocket temporal = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThat(check(config("http://127.0.0.1:" + controlPlane.getLocalPort(), temporal.getLocalPort())))
                    .contains("s behind the control plane's; have both set by NTP");
        }
    }
}
