package dev.mayfly.agent.relay;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.timeout.IdleStateHandler;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * A GitLab instance as the relay reaches it.
 *
 * @param pathPrefix the path under which GitLab lives, empty or {@code /gitlab}
 * @param tls null for plain http
 */
public record Upstream(
        String host, int port, String pathPrefix, @Nullable SslContext tls, Duration connectTimeout) {

    /** @param base the instance's URL, without {@code /api/v4} and without a slash at its end */
    public static Upstream of(URI base, TrustManagerFactory trust, Duration connectTimeout) throws SSLException {
        boolean https = "https".equals(base.getScheme());
        SslContext tls =
                https ? SslContextBuilder.forClient().trustManager(trust).build() : null;
        int port = base.getPort() > 0 ? base.getPort() : https ? 443 : 80;
        return new Upstream(base.getHost(), port, base.getRawPath(), tls, connectTimeout);
    }

    /** The {@code Host} header of requests to it. */
    String authority() {
        return port == (tls != null ? 443 : 80) ? host : host + ":" + port;
    }

    /**
     * Connects. Nothing is read unless asked for, and a failed write doesn't close the connection: GitLab may have
     * answered and stopped to read, and that answer is still to be had.
     *
     * @param address what {@link #host} and {@link #port} were resolved to
     * @param answers gets the parts of GitLab's answer, and an {@code IdleStateEvent} if nothing moves for {@code idle}
     */
    ChannelFuture connect(InetSocketAddress address, EventLoop loop, Duration idle, ChannelHandler answers) {
        return new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.AUTO_CLOSE, false)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) connectTimeout.toMillis())
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline().addLast(new IdleStateHandler(0, 0, idle.toMillis(), TimeUnit.MILLISECONDS));
                        if (tls != null) {
                            channel.pipeline().addLast(tls.newHandler(channel.alloc(), host, port));
                        }
                        channel.pipeline()
                                .addLast(new HttpClientCodec(Relay.HEADER_LIMIT, Relay.HEADER_LIMIT, Relay.CHUNK))
                                .addLast(new FlowControlHandler())
                                .addLast(new AskAgain())
                                .addLast(answers);
                    }
                })
                .connect(address);
    }
}
