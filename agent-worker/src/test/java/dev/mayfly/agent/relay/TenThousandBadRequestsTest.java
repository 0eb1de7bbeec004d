package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.mayfly.agent.relay.BadRequests.Bad;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/**
 * Whatever a guest makes up: nothing but well-formed requests for its own job reach GitLab, it is refused or cut, the
 * log hardly notices, and its neighbour is served all the while.
 */
@Timeout(value = 550, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TenThousandBadRequestsTest {

    private static final int REQUESTS = 10_000;
    private static final int THREADS = 8;
    private static final String HOSTILE = "127.0.0.7";
    private static final String NEIGHBOUR = "127.0.0.8";
    private static final String FOREIGN = "127.0.0.9";
    private static final Duration NEIGHBOUR_WAITS_AT_MOST = Duration.ofSeconds(10);
    private static final Pattern ALLOWED = Pattern.compile(
            "(PUT /api/v4/jobs/7|PATCH /api/v4/jobs/7/trace|(POST|GET) /api/v4/jobs/7/artifacts|GET /api/v4/jobs/3/artifacts)(\\?\\S*)?");
    private static final String OF_NEIGHBOUR = "PATCH /api/v4/jobs/8/trace";

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final List<String> wrong = new CopyOnWriteArrayList<>();
    private StrictGitLab gitlab;
    private Relay relay;

    @BeforeEach
    void open() throws IOException {
        log.list = new CopyOnWriteArrayList<>();
        log.start();
        logger().addAppender(log);
        gitlab = new StrictGitLab();
        Upstream upstream = new Upstream("127.0.0.1", gitlab.port(), "", null, Duration.ofSeconds(10));
        Map<String, RelayedVm> vms = Map.of(HOSTILE, job(7, upstream), NEIGHBOUR, job(8, upstream));
        RelaySettings standard = RelaySettings.standard();
        relay = new Relay(
                new RelaySettings(
                        standard.connectionsPerVm(),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(20),
                        Duration.ofMillis(200)),
                peer -> Optional.ofNullable(vms.get(peer.getHostAddress())),
                Runnable::run);
        relay.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    @AfterEach
    void close() throws IOException {
        logger().detachAppender(log);
        relay.close();
        gitlab.close();
        threads.shutdownNow();
    }

    @Test
    void areRefusedOneByOne() throws Exception {
        Map<String, Integer> seen = meanwhile(
                from(HOSTILE),
                REQUESTS,
                BadRequests::next,
                answer -> answer.isEmpty() || answer.startsWith("HTTP/1.1 4"));
        assertThat(seen).hasSize(11);
        assertThat(gitlab.whole).allMatch(line -> line.equals(OF_NEIGHBOUR));
        assertThat(gitlab.broken).isEmpty();
        theLogIsBounded();
    }

    /** Some of these are in order: GitLab may see them, and nothing else. */
    @Test
    void thatAreNearlyGoodPassOnlyIfTheyAreWellFormed() throws Exception {
        meanwhile(
                from(HOSTILE),
                REQUESTS / 4,
                BadRequests::almostGood,
                answer -> answer.isEmpty() || answer.matches("(?s)HTTP/1\\.1 (4|200 |503 ).*"));
        assertThat(gitlab.whole)
                .allMatch(line ->
                        line.equals(OF_NEIGHBOUR) || ALLOWED.matcher(line).matches());
        assertThat(gitlab.whole).anyMatch(line -> !line.equals(OF_NEIGHBOUR));
        assertThat(gitlab.broken).isEmpty();
        theLogIsBounded();
    }

    @Test
    void ofAnAddressThatIsNoVmsAreRefusedHoweverGoodTheyAre() throws Exception {
        meanwhile(
                from(FOREIGN),
                REQUESTS / 10,
                requests -> new Bad("foreign", requests.good()),
                answer -> answer.startsWith("HTTP/1.1 403 "));
        assertThat(gitlab.whole).allMatch(line -> line.equals(OF_NEIGHBOUR));
        theLogIsBounded();
    }

    private interface Making {
        Bad of(BadRequests requests);
    }

    private interface Judge {
        boolean isRight(String answer);
    }

    /** Sends so many, while the neighbour is served. Returns how many of each kind there were. */
    private Map<String, Integer> meanwhile(InetAddress own, int requests, Making making, Judge judge) throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        Future<List<Duration>> neighbour = threads.submit(() -> neighbour(over));
        List<Future<Map<String, Integer>>> senders = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            BadRequests made = new BadRequests(i);
            senders.add(threads.submit(() -> send(own, requests / THREADS, made, making, judge)));
        }
        Map<String, Integer> kinds = new TreeMap<>();
        for (Future<Map<String, Integer>> sender : senders) {
            sender.get().forEach((kind, count) -> kinds.merge(kind, count, Integer::sum));
        }
        over.set(true);
        assertThat(wrong).as("wrong answers").isEmpty();
        assertThat(neighbour.get(20, TimeUnit.SECONDS))
                .hasSizeGreaterThan(20)
                .allMatch(waited -> waited.compareTo(NEIGHBOUR_WAITS_AT_MOST) < 0);
        return kinds;
    }

    private Map<String, Integer> send(InetAddress own, int count, BadRequests requests, Making making, Judge judge)
            throws IOException {
        Map<String, Integer> kinds = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            Bad bad = making.of(requests);
            String answer = answer(own, bad.bytes(), bad.isEndless());
            if (!judge.isRight(answer) || answer.indexOf("HTTP/1.1", 1) >= 0) {
                wrong.add("'%s' to %s".formatted(answer, bad));
            }
            kinds.merge(bad.kind(), 1, Integer::sum);
        }
        return kinds;
    }

    /** How long each of the neighbour's calls took. */
    private List<Duration> neighbour(AtomicBoolean over) throws IOException {
        String patch = OF_NEIGHBOUR + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab";
        List<Duration> took = new ArrayList<>();
        while (!over.get()) {
            long begun = System.nanoTime();
            assertThat(answer(from(NEIGHBOUR), patch.getBytes(StandardCharsets.US_ASCII), false))
                    .startsWith("HTTP/1.1 200 ");
            took.add(Duration.ofNanos(System.nanoTime() - begun));
            LockSupport.parkNanos(5_000_000);
        }
        return took;
    }

    /** What comes until the relay closes; empty if it just closes. */
    private String answer(InetAddress own, byte[] request, boolean ended) throws IOException {
        try (Socket socket =
                new Socket(relay.address().getAddress(), relay.address().getPort(), own, 0)) {
            socket.setSoTimeout(RelayBetween.SOCKET_TIMEOUT_MILLIS);
            try {
                socket.getOutputStream().write(request);
                if (ended) {
                    socket.shutdownOutput();
                }
            } catch (IOException closed) {
                // Cut before it was through; an answer may be there still.
            }
            return RelayBetween.rest(socket);
        }
    }

    /** A first message, and a second at most should a minute pass. */
    private void theLogIsBounded() {
        List<String> messages = log.list.stream()
                .filter(event -> event.getLevel().isGreaterOrEqual(Level.INFO))
                .filter(event -> !event.getFormattedMessage().startsWith("relay listens"))
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
        assertThat(messages).hasSizeBetween(1, 8).allMatch(message -> message.matches("[ -~]{1,300}"));
    }

    private static RelayedVm job(long id, Upstream upstream) {
        RelayBetween.Job job = new RelayBetween.Job(id);
        job.upstream = upstream;
        return job;
    }

    private static InetAddress from(String address) throws IOException {
        return InetAddress.getByName(address);
    }

    private static Logger logger() {
        return (Logger) LoggerFactory.getLogger(Relay.class.getPackageName());
    }
}
