package dev.mayfly.agent.relay;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.ReferenceCountUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request of a guest on its way to GitLab, and the answer on its way back. Both connections live on one event loop,
 * so nothing here is called by two threads. Each side is read only as fast as the other takes it: {@code read()} is
 * called when the last piece was written to a connection that takes more.
 */
final class Exchange {

    private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);
    private static final int HEADER_LIMIT = 65_536;
    private static final int CHUNK = 65_536;
    /** These speak of one connection, not of the message; {@code Expect} is answered here. */
    private static final List<CharSequence> HOP_BY_HOP = List.of(
            HttpHeaderNames.CONNECTION,
            "keep-alive",
            "proxy-connection",
            HttpHeaderNames.TE,
            HttpHeaderNames.UPGRADE,
            HttpHeaderNames.EXPECT);

    private final GuestConnection connection;
    private final Channel guest;
    private final String slotId;
    private final RelayedJob job;
    private final Route route;
    private final HttpRequest request;
    private final StateReader state = new StateReader();
    private @Nullable Channel gitlab;
    /** Whether the next piece of GitLab's answer is wanted and not here yet. */
    private boolean asked;

    private boolean updateOpen;
    private boolean answerBegun;
    private boolean skipping;
    private boolean ended;

    Exchange(
            GuestConnection connection,
            Channel guest,
            String slotId,
            RelayedJob job,
            Route route,
            HttpRequest request) {
        this.connection = connection;
        this.guest = guest;
        this.slotId = slotId;
        this.job = job;
        this.route = route;
        this.request = request;
    }

    // ---- towards GitLab

    void begin(Executor blocking) {
        if (route.isUpdate()) {
            updateOpen = true;
            job.updateBegins();
        }
        var unused = job.upstream()
                .thenComposeAsync(
                        to -> CompletableFuture.supplyAsync(() -> new InetSocketAddress(to.host(), to.port()), blocking)
                                .whenCompleteAsync((found, failure) -> connect(to, found), guest.eventLoop()),
                        guest.eventLoop())
                .whenCompleteAsync(
                        (done, failure) -> {
                            if (failure != null) {
                                fail(failure.getMessage());
                            }
                        },
                        guest.eventLoop());
    }

    private void connect(Upstream upstream, @Nullable InetSocketAddress found) {
        if (ended || found == null) {
            return;
        }
        InetAddress address = found.getAddress();
        if (address == null) {
            fail("the name " + upstream.host() + " can't be resolved");
            return;
        }
        ChannelFuture connecting = new Bootstrap()
                .group(guest.eventLoop())
                .channel(NioSocketChannel.class)
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int)
                        upstream.connectTimeout().toMillis())
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        prepare(channel, upstream);
                    }
                })
                .connect(found);
        gitlab = connecting.channel();
        connecting.addListener(done -> {
            if (done.isSuccess()) {
                sendHead(connecting.channel(), upstream);
            } else {
                fail(String.valueOf(done.cause().getMessage()));
            }
        });
    }

    private void prepare(SocketChannel channel, Upstream upstream) {
        if (upstream.tls() != null) {
            channel.pipeline().addLast(upstream.tls().newHandler(channel.alloc(), upstream.host(), upstream.port()));
        }
        channel.pipeline()
                .addLast(new HttpClientCodec(HEADER_LIMIT, HEADER_LIMIT, CHUNK))
                .addLast(new FlowControlHandler())
                .addLast(new FromGitLab());
    }

    private void sendHead(Channel to, Upstream upstream) {
        HttpHeaders headers = request.headers().copy();
        HOP_BY_HOP.forEach(headers::remove);
        headers.set(HttpHeaderNames.HOST, upstream.authority());
        headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        String uri = upstream.pathPrefix() + request.uri();
        Channels.send(to, new DefaultHttpRequest(HttpVersion.HTTP_1_1, request.method(), uri, headers));
        askGitLab(to);
        if (HttpUtil.is100ContinueExpected(request)) {
            Channels.send(guest, new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
        }
        Channels.readOn(guest);
    }

    private void askGitLab(Channel channel) {
        asked = true;
        Channels.readOn(channel);
    }

    /** A piece of the request's body. */
    void fromGuest(HttpContent content) {
        Channel to = gitlab;
        if (ended || to == null || !to.isActive()) {
            // GitLab has stopped reading. Its answer may be on its way still.
            content.release();
            Channels.readOn(guest);
            return;
        }
        if (route.kind() == Route.Kind.UPDATE) {
            state.add(content.content());
        }
        Channels.send(to, content);
        if (to.isWritable()) {
            Channels.readOn(guest);
        }
    }

    // ---- towards the guest

    private final class FromGitLab extends ChannelInboundHandlerAdapter {

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            asked = false;
            if (ended
                    || (message instanceof HttpObject part
                            && part.decoderResult().isFailure())) {
                ReferenceCountUtil.release(message);
                fail("GitLab's answer is no HTTP");
            } else if (message instanceof HttpResponse response) {
                head(context.channel(), response);
            } else if (message instanceof HttpContent content) {
                body(context.channel(), content);
            }
        }

        /** A read that brought only TLS records, such as the handshake's, has used the request up: ask again. */
        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            if (asked && !ended) {
                Channels.readOn(context.channel());
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            if (context.channel().isWritable() && !ended) {
                Channels.readOn(guest);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            fail("GitLab closed the connection");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            fail(cause.toString());
        }
    }

    private void head(Channel from, HttpResponse response) {
        skipping = response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
        if (skipping) {
            askGitLab(from);
            return;
        }
        HttpHeaders headers = response.headers().copy();
        HOP_BY_HOP.forEach(headers::remove);
        headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        HttpResponse answer = new DefaultHttpResponse(HttpVersion.HTTP_1_1, response.status(), headers);
        if (!updateOpen) {
            passHead(from, answer);
            return;
        }
        updateOpen = false;
        var unused = job.updateAnswered(state.state(), response.status().code())
                .whenCompleteAsync((done, failure) -> passHead(from, answer), guest.eventLoop());
    }

    private void passHead(Channel from, HttpResponse answer) {
        if (!ended) {
            answerBegun = true;
            Channels.send(guest, answer);
            askGitLab(from);
        }
    }

    private void body(Channel from, HttpContent content) {
        boolean last = content instanceof LastHttpContent;
        if (skipping) {
            content.release();
            skipping = !last;
            askGitLab(from);
            return;
        }
        Channels.send(guest, content);
        if (last) {
            ended = true;
            Channels.close(from);
            connection.finish(guest);
        } else if (guest.isWritable()) {
            askGitLab(from);
        }
    }

    // ---- ends

    void guestWritable() {
        if (guest.isWritable() && gitlab != null && answerBegun && !ended) {
            askGitLab(gitlab);
        }
    }

    void guestGone() {
        end();
    }

    /** GitLab can't be reached, or its answer broke off. */
    void fail(@Nullable String reason) {
        if (ended) {
            return;
        }
        LOG.warn("slot {}: {} of job {} did not reach GitLab: {}", slotId, route.kind(), job.id(), reason);
        boolean cut = answerBegun;
        end();
        if (cut) {
            Channels.close(guest);
        } else {
            connection.answer(guest, HttpResponseStatus.SERVICE_UNAVAILABLE, "");
        }
    }

    private void end() {
        if (ended) {
            return;
        }
        ended = true;
        if (updateOpen) {
            updateOpen = false;
            job.updateLost();
        }
        if (gitlab != null) {
            Channels.close(gitlab);
        }
    }
}
