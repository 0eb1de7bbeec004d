package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.ssl.SslContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A relay between a guest's sockets and a GitLab's, both in the test's hands. The guest is bound to job 7. */
final class RelayBetween implements AutoCloseable {

    static final int SOCKET_TIMEOUT_MILLIS = 20_000;

    final Job job = new Job(7);
    /** For what a test does beside its own thread. */
    final ExecutorService threads = Executors.newCachedThreadPool();

    private final ServerSocket gitlab;
    private final Relay relay;

    RelayBetween(RelaySettings settings) throws IOException {
        this(settings, new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), "127.0.0.1", null);
    }

    /** @param tls how the relay speaks to GitLab */
    RelayBetween(RelaySettings settings, ServerSocket gitlab, String host, @Nullable SslContext tls)
            throws IOException {
        this.gitlab = gitlab;
        gitlab.setSoTimeout(SOCKET_TIMEOUT_MILLIS);
        job.upstream = new Upstream(host, gitlab.getLocalPort(), "", tls, Duration.ofSeconds(2));
        relay = new Relay(settings, peer -> Optional.of(job), Runnable::run);
        relay.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    /** A connection of the guest, on which {@code request} was sent. */
    Socket guest(String request) throws IOException {
        Socket socket = new Socket(relay.address().getAddress(), relay.address().getPort());
        socket.setSoTimeout(SOCKET_TIMEOUT_MILLIS);
        write(socket, request);
        return socket;
    }

    /** The relay's next connection to GitLab. */
    Socket gitlab() throws IOException {
        Socket socket = gitlab.accept();
        socket.setSoTimeout(SOCKET_TIMEOUT_MILLIS);
        return socket;
    }

    /** The relay has opened no connection to GitLab but those that were accepted; it would have before it answered. */
    void expectNothingAtGitLab() throws IOException {
        gitlab.setSoTimeout(50);
        assertThatThrownBy(gitlab::accept).isInstanceOf(SocketTimeoutException.class);
        gitlab.setSoTimeout(SOCKET_TIMEOUT_MILLIS);
    }

    /** GitLab can't be reached from now on. */
    void gitlabIsDown() throws IOException {
        gitlab.close();
    }

    @Override
    public void close() throws IOException {
        relay.close();
        gitlab.close();
        threads.shutdownNow();
    }

    static void write(Socket to, String text) throws IOException {
        to.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Status line and headers, with the empty line after them. */
    static String head(Socket from) throws IOException {
        InputStream in = from.getInputStream();
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            assertThat(next)
                    .as("the connection ended within the head '%s'", head)
                    .isNotNegative();
            head.append((char) next);
        }
        return head.toString();
    }

    /** What comes until the other side closes. */
    static String rest(Socket from) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] piece = new byte[8192];
        try {
            InputStream in = from.getInputStream();
            for (int read = in.read(piece); read >= 0; read = in.read(piece)) {
                all.write(piece, 0, read);
            }
        } catch (SocketTimeoutException e) {
            throw new AssertionError("still open, after '" + all + "'", e);
        } catch (IOException reset) {
            // Closed over something unread; what came before counts.
        }
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    /** The VM and its job, and what it was told. */
    static final class Job implements RelayedVm, RelayedJob {

        private final long id;
        final List<Update> updates = new CopyOnWriteArrayList<>();
        final AtomicInteger underWay = new AtomicInteger();
        volatile CompletionStage<Optional<byte[]>> payload =
                CompletableFuture.completedStage(Optional.of("{}".getBytes(StandardCharsets.UTF_8)));
        volatile Upstream upstream = new Upstream("127.0.0.1", 1, "", null, Duration.ofSeconds(2));

        Job(long id) {
            this.id = id;
        }

        @Override
        public String slotId() {
            return "k3x9p-" + id;
        }

        @Override
        public Optional<RelayedJob> job() {
            return Optional.of(this);
        }

        @Override
        public long id() {
            return id;
        }

        @Override
        public Set<Long> dependencies() {
            return Set.of(3L);
        }

        @Override
        public boolean isItsToken(String token) {
            return token.equals("job-token-" + id);
        }

        @Override
        public CompletionStage<Upstream> upstream() {
            return CompletableFuture.completedStage(upstream);
        }

        @Override
        public CompletionStage<Optional<byte[]>> payload() {
            return payload;
        }

        @Override
        public void updateBegins() {
            underWay.incrementAndGet();
        }

        @Override
        public CompletionStage<Void> updateAnswered(Update update) {
            underWay.decrementAndGet();
            updates.add(update);
            return CompletableFuture.completedStage(null);
        }

        @Override
        public void updateLost() {
            underWay.decrementAndGet();
        }
    }
}
