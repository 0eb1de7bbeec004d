package dev.mayfly.agent.relay;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.handler.timeout.IdleStateHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
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

    private final RelaySettings settings;
    private final GuestLog log = new GuestLog(LOG, System::nanoTime);
    private final VmDirectory vms;
    private final Executor blocking;
    private final GuestServer server;

    /** @param blocking for name look-ups */
    public Relay(RelaySettings settings, VmDirectory vms, Executor blocking) {
        this.settings = settings;
        this.vms = vms;
        this.blocking = blocking;
        this.server = new GuestServer("relay", settings.connectionsPerVm(), this::accept);
    }

    /**
     * Listens from now on. Not before the host's VMs are known: a guest that isn't is refused, which ends its job.
     *
     * @throws IOException if the address can't be had
     */
    public void listen(InetSocketAddress address) throws IOException {
        ServerBootstrap options = new ServerBootstrap()
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.SO_KEEPALIVE, true);
        try {
            server.listen(address, options);
        } catch (IOException e) {
            throw new IOException(
                    "the relay can't listen on " + address + ": " + e.getMessage()
                            + "; does another agent run on this host?",
                    e);
        }
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        return server.address();
    }

    @Override
    public void close() {
        server.close();
    }

    private void accept(SocketChannel channel) {
        InetAddress peer = channel.remoteAddress().getAddress();
        channel.pipeline()
                .addLast(new IdleStateHandler(0, 0, settings.idleTimeout().toMillis(), TimeUnit.MILLISECONDS))
                .addLast(new HttpServerCodec(GUEST_LINE_LIMIT, GUEST_HEADER_LIMIT, CHUNK))
                .addLast(new FlowControlHandler())
                .addLast(new AskAgain())
                .addLast(new GuestConnection(settings, log, vms, peer, blocking));
    }
}
