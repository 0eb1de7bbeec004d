package dev.mayfly.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.mayfly.agent.guest.GuestChannel.Retries;
import dev.mayfly.agent.guest.GuestChannel.RunnerEnd;
import dev.mayfly.workflows.job.Executor;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The test plays the guest. */
@Timeout(20)
class GuestChannelTest {

    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-01-02T03:04:05.000000006Z"), ZoneOffset.UTC);
    private static final GuestIdentity IDENTITY = new GuestIdentity(
            "k3x9p-17",
            "0123456789abcdef0123456789abcdef",
            "nameserver 9.9.9.9\n",
            null,
            "198.18.0.2/30",
            "198.18.0.1",
            new DockerOptions("app:1", "helper:1", true));

    @TempDir
    Path folder;

    private final FrameCodec codec = new FrameCodec();
    private ServerSocketChannel socket;
    private GuestChannel channel;
    private SocketChannel host;
    private DataInputStream in;

    @BeforeEach
    void listen() throws IOException {
        Path path = folder.resolve("agent.sock");
        socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        socket.bind(UnixDomainSocketAddress.of(path));
        channel = new GuestChannel("k3x9p-17", path, IDENTITY, CLOCK, new Retries(3, Duration.ofMillis(10)));
        channel.open();
        accept();
    }

    @AfterEach
    void close() throws IOException {
        channel.close();
        socket.close();
    }

    private void accept() throws IOException {
        host = socket.accept();
        in = new DataInputStream(Channels.newInputStream(host));
        assertThat(hear().path("type").asText()).isEqualTo("hello");
    }

    private ObjectNode hear() throws IOException {
        return Objects.requireNonNull(codec.read(in), "the host hung up");
    }

    private void say(String state, String message) throws IOException {
        ObjectNode frame = codec.frame("state").put("state", state);
        if (!message.isEmpty()) {
            frame.put("message", message);
        }
        host.write(codec.encode(frame));
    }

    @Test
    void aBootedGuestIsToldAllItMustBe() throws Exception {
        say("booted", "");

        ObjectNode configure = hear();

        assertThat(configure.path("type").asText()).isEqualTo("configure");
        assertThat(configure.path("unixNanos").asLong()).isEqualTo(1_767_323_045_000_000_006L);
        assertThat(configure.path("hostname").asText()).isEqualTo("k3x9p-17");
        assertThat(configure.path("resolvConf").asText()).isEqualTo("nameserver 9.9.9.9\n");
        assertThat(configure.path("caPem").isNull()).isTrue();
        assertThat(configure.path("entropy").asText()).hasSize(88);
        assertThat(channel.ready()).isNotDone();
        say("ready", "");
        channel.ready().get(5, TimeUnit.SECONDS);
    }

    @Test
    void aGuestThatCantBeConfiguredGetsAFewMoreTriesAndThenItsReasonIsTold() throws Exception {
        say("booted", "");
        hear();
        for (int attempt = 1; attempt < 3; attempt++) {
            say("booted", "no eth0");
            assertThat(hear().path("type").asText()).isEqualTo("configure");
            assertThat(channel.unconfigurable()).isNotDone();
        }
        say("booted", "no eth0");

        assertThat(channel.unconfigurable().get(5, TimeUnit.SECONDS)).isEqualTo("no eth0");
        assertThat(channel.ready()).isNotDone();
        assertThat(silentFor(200)).as("no more tries after the last").isTrue();
    }

    @Test
    void betweenTriesThereIsAPause() throws Exception {
        channel.close();
        host.close();
        channel = new GuestChannel(
                "k3x9p-17", folder.resolve("agent.sock"), IDENTITY, CLOCK, new Retries(3, Duration.ofMillis(300)));
        channel.open();
        accept();
        say("booted", "");
        hear();
        Instant before = Instant.now();
        say("booted", "no eth0");
        hear();
        assertThat(Duration.between(before, Instant.now())).isGreaterThanOrEqualTo(Duration.ofMillis(290));
    }

    @Test
    void aGuestsReasonIsOneBoundedLine() throws Exception {
        say("booted", "");
        hear();
        for (int attempt = 1; attempt < 3; attempt++) {
            say("booted", "x");
            hear();
        }
        say("booted", "a\nb\u001b[31m" + "y".repeat(1000));

        assertThat(channel.unconfigurable().get(5, TimeUnit.SECONDS))
                .startsWith("a b [31my")
                .hasSizeLessThanOrEqualTo(301)
                .doesNotContain("\n");
    }

    @Test
    void theRunnersStartIsRepeatedAfterAReconnectAndItsEndIsHeardWithItsReason() throws Exception {
        channel.startRunner(Executor.SHELL, "token-of-this-vm", "s_0123456789ab", "ask for more");
        say("ready", "");
        assertThat(hear().path("executor").asText()).isEqualTo("shell");
        host.close();
        accept();
        say("ready", "");
        ObjectNode again = hear();
        assertThat(again.path("type").asText()).isEqualTo("start-runner");
        assertThat(again.path("token").asText()).isEqualTo("token-of-this-vm");
        assertThat(again.path("dockerImage").asText()).isEqualTo("app:1");
        assertThat(again.path("helperImage").asText()).isEqualTo("helper:1");
        assertThat(again.path("privileged").asBoolean()).isTrue();
        assertThat(again.path("memoryAdvice").asText()).isEqualTo("ask for more");

        host.write(codec.encode(
                codec.frame("state").put("state", "ended").put("exitCode", 255).put("message", "no such executor")));

        assertThat(channel.runnerEnd().get(5, TimeUnit.SECONDS))
                .isEqualTo(new RunnerEnd(255, null, "no such executor"));
    }

    @Test
    void aFrameOverTheLimitEndsTheConnectionAndNotTheChannel() throws Exception {
        host.write(ByteBuffer.allocate(4).putInt(FrameCodec.LIMIT + 1).flip());
        assertThat(in.read()).as("the host hangs up").isEqualTo(-1);
        accept();
        say("ready", "");
        channel.ready().get(5, TimeUnit.SECONDS);
    }

    private boolean silentFor(int millis) throws IOException {
        host.configureBlocking(false);
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (System.nanoTime() < end) {
            if (host.read(ByteBuffer.allocate(1)) != 0) {
                return false;
            }
            java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
        }
        return true;
    }
}
