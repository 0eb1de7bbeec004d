package dev.mayfly.agent.registry;

import dev.mayfly.agent.registry.GuestPull.Source;
import dev.mayfly.agent.relay.GuestServer;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.timeout.IdleStateHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The registry that every guest of this host meets. It passes on nothing but GET and HEAD of manifests and blobs, without
 * anything that says who asks: first to the images that are preloaded, then to what passes the image's own registry
 * through. So no job puts anything into what others get, and no job's credentials open anything for others.
 *
 * <p>One request per connection, as at the relay; bodies are never held whole.
 */
public final class RegistryFront implements AutoCloseable {

    private static final int LONGEST_LINE = 4096;
    private static final int LONGEST_HEADERS = 16_384;
    static final int CHUNK = 65_536;

    private final Backend preloaded;
    private final Map<String, Backend> upstreams;
    private final Limits limits;
    private final GuestServer server;

    /**
     * What a guest may take.
     *
     * @param connectionsPerVm open at once; docker uses a handful
     * @param head until a request's head must be there
     * @param idle until a connection on which nothing moves is closed
     * @param manifest until a manifest's answer must begin: docker asks the image's own registry then
     * @param whole the longest that one answer may take
     */
    record Limits(int connectionsPerVm, Duration head, Duration idle, Duration manifest, Duration whole) {

        static Limits standard() {
            return new Limits(
                    32, Duration.ofSeconds(10), Duration.ofMinutes(1), Duration.ofSeconds(3), Duration.ofHours(1));
        }
    }

    /**
     * A front that does not listen yet.
     *
     * @param upstreams by the registry's name, such as {@code docker.io}
     */
    RegistryFront(Backend preloaded, Map<String, Backend> upstreams, Limits limits) {
        this.preloaded = preloaded;
        this.upstreams = Map.copyOf(upstreams);
        this.limits = limits;
        this.server = new GuestServer("registry", limits.connectionsPerVm(), this::accept);
    }

    /**
     * Listens from now on.
     *
     * @throws IOException if the address can't be had
     */
    void listen(InetSocketAddress address) throws IOException {
        try {
            server.listen(address, new ServerBootstrap());
        } catch (IOException e) {
            throw new IOException(
                    "the registry can't listen on port %d (%s); end what listens there, or choose another registry.port"
                            .formatted(address.getPort(), e.getMessage()),
                    e);
        }
    }

    /** Where it listens. */
    InetSocketAddress address() {
        return server.address();
    }

    private void accept(SocketChannel channel) {
        channel.pipeline()
                .addLast(new IdleStateHandler(0, 0, limits.idle().toMillis(), TimeUnit.MILLISECONDS))
                .addLast(new HttpServerCodec(LONGEST_LINE, LONGEST_HEADERS, CHUNK))
                .addLast(new GuestPull(this::backends, limits));
    }

    /** Who may have it, in the order in which they are asked. */
    private List<Source> backends(RegistryRequest request) {
        Source here = new Source(preloaded, request.preloaded());
        Backend upstream = upstreams.get(request.repository().upstream());
        return upstream == null ? List.of(here) : List.of(here, new Source(upstream, request.passedThrough()));
    }

    @Override
    public void close() {
        server.close();
    }
}
