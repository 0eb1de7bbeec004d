package dev.mayfly.agent.relay;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A TCP server for this host's guests, each of which has so many connections open and no more. */
public final class GuestServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(GuestServer.class);
    private static final int THREADS = 2;

    private final String name;
    private final int connectionsPerVm;
    private final Consumer<SocketChannel> pipeline;
    private final Map<InetAddress, Integer> connections = new ConcurrentHashMap<>();
    private final MultiThreadIoEventLoopGroup threads;
    private @Nullable Channel server;

    /**
     * A server that does not listen yet.
     *
     * @param name for people, and of its threads
     * @param connectionsPerVm how many a VM may have open; more are closed at once
     * @param pipeline sets a connection's handlers up
     */
    public GuestServer(String name, int connectionsPerVm, Consumer<SocketChannel> pipeline) {
        this.name = name;
        this.connectionsPerVm = connectionsPerVm;
        this.pipeline = pipeline;
        this.threads = new MultiThreadIoEventLoopGroup(
                THREADS, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
    }

    /**
     * Listens from now on.
     *
     * @param options with what a connection's socket is to have besides
     * @throws IOException if the address can't be had; its message is the system's
     */
    public void listen(InetSocketAddress address, ServerBootstrap options) throws IOException {
        var bound = options.group(threads)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accept(channel);
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(bound.cause().getMessage(), bound.cause());
        }
        server = bound.channel();
        LOG.info("{} listens on {}", name, server.localAddress());
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        if (server == null) {
            throw new IllegalStateException("the " + name + " does not listen yet");
        }
        return (InetSocketAddress) server.localAddress();
    }

    private void accept(SocketChannel channel) {
        InetAddress peer = channel.remoteAddress().getAddress();
        int open = connections.merge(peer, 1, Integer::sum);
        channel.closeFuture()
                .addListener(
                        closed -> connections.computeIfPresent(peer, (key, count) -> count > 1 ? count - 1 : null));
        if (open > connectionsPerVm) {
            LOG.debug("{} has {} connections to the {} open: closing the newest", peer, open, name);
            Channels.close(channel);
            return;
        }
        pipeline.accept(channel);
    }

    @Override
    public void close() {
        if (server != null) {
            server.close().awaitUninterruptibly();
        }
        threads.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
