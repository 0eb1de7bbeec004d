package dev.mayfly.agent.relay;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server that every guest's runner takes for GitLab. It answers requests for a job from the claim, and streams
 * log, state and artifacts of that job through to GitLab and back, both ways no faster than the receiver reads. Bodies
 * are never held whole. It keeps nothing: after a restart of the agent the same address answers the same.
 *
 * <p>One request per connection, because a connection kept open may be closed by the one side just when the other sends;
 * within a host a connection costs next to nothing.
 */
public final class Relay implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);
    static final int HEADER_LIMIT = 65_536;

    /** Of a guest's requests, which it may begin and never end; GitLab is trusted with more. */
    private static final int GUEST_LINE_LIMIT = 8_192;

    /** A job's token is a JWT that may be long. */
    private static final int GUEST_HEADER_LIMIT = 32_768;

    static final int CHUNK = 65_536;
    private static final int THREADS = 2;

    private final RelaySettings settings;
    private final GuestLog log = new GuestLog(LOG, System::nanoTime);
    private final VmDirectory vms;
    private final Executor blocking;
    private final Map<InetAddress, Integer> connections = new ConcurrentHashMap<>();
    private final MultiThreadIoEventLoopGroup threads = new MultiThreadIoEventLoopGroup(
            THREADS, new DefaultThreadFactory("relay", true), NioIoHandler.newFactory());
    private @Nullable Channel server;

    /** @param blocking for name look-ups */
    public Relay(RelaySettings settings, VmDirectory vms, Executor blocking) {
        this.settings = settings;
        this.vms = vms;
        this.blocking = blocking;
    }

    /**
     * Listens from now on. Not before the host's VMs are known: a guest that isn't is refused, which ends its job.
     *
     * @throws IOException if the address can't be had
     */
    public void listen(InetSocketAddress address) throws IOException {
        var bound = new ServerBootstrap()
                .group(threads)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accept(channel);
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException("the relay can't listen on " + address + ": "
                    + bound.cause().getMessage() + "; does another agent run on this host?");
        }
        server = bound.channel();
        LOG.info("relay listens on {}", server.localAddress());
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        if (server == null) {
            throw new IllegalStateException("the relay does not listen yet");
        }
        return (InetSocketAddress) server.localAddress();
    }

    @Override
    public void close() {
        if (server != null) {
            server.close().awaitUninterruptibly();
        }
        threads.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private void accept(SocketChannel channel) {
        InetAddress peer = channel.remoteAddress().getAddress();
        int open = connections.merge(peer, 1, Integer::sum);
        channel.closeFuture()
                .addListener(
                        closed -> connections.computeIfPresent(peer, (key, count) -> count > 1 ? count - 1 : null));
        if (open > settings.connectionsPerVm()) {
            LOG.debug("{} has {} connections to the relay open: closing the newest", peer, open);
            Channels.close(channel);
            return;
        }
        channel.pipeline()
                .addLast(new IdleStateHandler(0, 0, settings.idleTimeout().toMillis(), TimeUnit.MILLISECONDS))
                .addLast(new HttpServerCodec(GUEST_LINE_LIMIT, GUEST_HEADER_LIMIT, CHUNK))
                .addLast(new FlowControlHandler())
                .addLast(new AskAgain())
                .addLast(new GuestConnection(settings, log, vms, peer, blocking));
    }
}
