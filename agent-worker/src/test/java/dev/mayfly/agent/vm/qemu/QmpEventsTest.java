package dev.mayfly.agent.vm.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The test plays QEMU. */
@Timeout(20)
class QmpEventsTest {

    @TempDir
    Path folder;

    private ServerSocketChannel socket;
    private QmpEvents events;

    @BeforeEach
    void listen() throws IOException {
        Path path = folder.resolve("qmp.sock");
        socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        socket.bind(UnixDomainSocketAddress.of(path));
        events = new QmpEvents("k3x9p-1", path);
        events.open();
    }

    @AfterEach
    void close() throws IOException {
        events.close();
        socket.close();
    }

    private SocketChannel accept() throws IOException {
        SocketChannel agent = socket.accept();
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(Channels.newInputStream(agent), StandardCharsets.UTF_8));
        assertThat(lines.readLine()).isEqualTo("{\"execute\":\"qmp_capabilities\",\"id\":\"qmp_capabilities\"}");
        return agent;
    }

    private static void say(SocketChannel agent, String line) throws IOException {
        agent.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void aPanicIsHeardAmongOtherEvents() throws Exception {
        SocketChannel agent = accept();
        say(agent, "{\"QMP\":{}}");
        say(agent, "{\"event\":\"SHUTDOWN\",\"data\":{\"reason\":\"guest-reset\"}}");
        assertThat(events.panicked()).isNotDone();
        say(agent, "{\"event\":\"GUEST_PANICKED\"}");
        events.panicked().get(5, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @CsvSource({
        "guest-reset,    'the guest was rebooted, which ends its VM'",
        "guest-shutdown, the guest was powered off",
        "host-signal,    ''"
    })
    void whoEndedTheVmIsKnownFromTheReason(String reason, String words) throws Exception {
        SocketChannel agent = accept();
        say(agent, "{\"event\":\"SHUTDOWN\",\"data\":{\"reason\":\"" + reason + "\"}}");
        say(agent, "{\"event\":\"GUEST_PANICKED\"}");
        events.panicked().get(5, TimeUnit.SECONDS);
        assertThat(events.guestsDoing()).isEqualTo(words);
    }

    @Test
    void aLineWithoutAnEndIsNotKeptButHungUpOnAndTheNextConnectionHeard() throws Exception {
        SocketChannel agent = accept();
        ByteBuffer part = ByteBuffer.wrap("x".repeat(10_000).getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 1000; i++) {
                        agent.write(part.rewind());
                    }
                })
                .as("the agent hangs up")
                .isInstanceOf(IOException.class);
        say(accept(), "{\"event\":\"GUEST_PANICKED\"}");
        events.panicked().get(5, TimeUnit.SECONDS);
    }
}
