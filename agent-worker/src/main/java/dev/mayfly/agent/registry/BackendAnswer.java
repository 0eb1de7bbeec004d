package dev.mayfly.agent.registry;

import dev.mayfly.agent.registry.GuestPull.Source;
import dev.mayfly.agent.registry.RegistryFront.Limits;
import dev.mayfly.agent.relay.Channels;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
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
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.net.UnixDomainSocketAddress;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A guest's request at the registries behind: the first one that has it gives the answer, which streams to the guest no
 * faster than that reads. Everything happens on the guest's event loop.
 */
final class BackendAnswer {

    private static final Logger log = LoggerFactory.getLogger(BackendAnswer.class);
    /** Nothing of a guest's request but this reaches a registry, so no credentials do. */
    private static final List<String> ASKED = List.of("Accept", "Range");

    private static final List<String> ANSWERED = List.of(
            "Content-Type",
            "Content-Length",
            "Content-Range",
            "Accept-Ranges",
            "Docker-Content-Digest",
            "Docker-Distribution-Api-Version",
            "Etag");
    private static final List<Integer> GOOD = List.of(200, 206, 304, 416);
    private static final int LONGEST_HEAD = 16_384;

    private final GuestPull connection;
    private final Channel guest;
    private final HttpRequest request;
    private final RegistryRequest wanted;
    private final Iterator<Source> sources;
    private final Limits limits;
    private @Nullable Channel backend;
    private String why = "it is not preloaded on this host, and this host passes on nothing of its registry";
    private boolean begun;
    private boolean over;

    BackendAnswer(
            GuestPull connection,
            Channel guest,
            HttpRequest request,
            RegistryRequest wanted,
            List<Source> sources,
            Limits limits) {
        this.connection = connection;
        this.guest = guest;
        this.request = request;
        this.wanted = wanted;
        this.sources = sources.iterator();
        this.limits = limits;
    }

    /** Asks the next registry, or says that none has it. */
    void askNext() {
        if (over) {
            return;
        }
        if (!sources.hasNext()) {
            over = true;
            log.debug("{}: {}", wanted, why);
            connection.refuse(
                    guest,
                    HttpResponseStatus.NOT_FOUND,
                    wanted.isManifest() ? "MANIFEST_UNKNOWN" : "BLOB_UNKNOWN",
                    wanted + ": " + why);
            return;
        }
        Source source = sources.next();
        Backend.Serving serving = source.backend().answer();
        if (serving == null) {
            askNext();
            return;
        }
        var connecting = new Bootstrap()
                .group(guest.eventLoop())
                .channel(NioDomainSocketChannel.class)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast(new HttpClientCodec(LONGEST_HEAD, LONGEST_HEAD, RegistryFront.CHUNK))
                                .addLast(new Answer());
                    }
                })
                .connect(UnixDomainSocketAddress.of(serving.socket()));
        Channel channel = connecting.channel();
        backend = channel;
        channel.closeFuture().addListener(closed -> serving.done());
        connecting.addListener(connected -> {
            if (connected.isSuccess()) {
                ask(channel, source.target());
            } else {
                why = "this host's registry does not answer";
                askNext();
            }
        });
    }

    private void ask(Channel channel, String target) {
        DefaultFullHttpRequest asked = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, request.method(), target);
        copy(ASKED, request.headers(), asked.headers());
        asked.headers().set(HttpHeaderNames.HOST, "registry").set(HttpHeaderNames.CONNECTION, "close");
        channel.writeAndFlush(asked).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        if (wanted.isManifest()) {
            var limit = channel.eventLoop()
                    .schedule(
                            () -> {
                                if (!begun) {
                                    why = "its registry did not answer in time";
                                    Channels.close(channel);
                                }
                            },
                            limits.manifest().toMillis(),
                            TimeUnit.MILLISECONDS);
            channel.closeFuture().addListener(closed -> limit.cancel(false));
        }
    }

    private static void copy(List<String> names, HttpHeaders from, HttpHeaders to) {
        names.forEach(name -> to.set(name, from.getAll(name)));
    }

    void guestWritable(boolean writable) {
        if (backend != null) {
            backend.config().setAutoRead(writable);
        }
    }

    /** The guest is gone. */
    void end() {
        over = true;
        if (backend != null) {
            Channels.close(backend);
        }
    }

    /** Of the registry that is asked now. */
    private final class Answer extends ChannelInboundHandlerAdapter {

        private boolean passing;

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof HttpObject part && part.decoderResult().isFailure()) {
                ReferenceCountUtil.release(message);
                Channels.close(context.channel());
            } else if (message instanceof HttpResponse response) {
                head(context, response);
            } else if (passing && message instanceof HttpContent content) {
                body(content);
            } else {
                ReferenceCountUtil.release(message);
            }
        }

        private void head(ChannelHandlerContext context, HttpResponse response) {
            int status = response.status().code();
            if (!GOOD.contains(status)) {
                why = status == 404 ? "its registry does not have it" : "its registry answered " + status;
                Channels.close(context.channel());
                return;
            }
            begun = true;
            passing = true;
            HttpResponse passed = new DefaultHttpResponse(HttpVersion.HTTP_1_1, response.status());
            copy(ANSWERED, response.headers(), passed.headers());
            passed.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            Channels.write(guest, passed);
        }

        private void body(HttpContent content) {
            if (content instanceof LastHttpContent) {
                over = true;
                guest.writeAndFlush(content).addListener(ChannelFutureListener.CLOSE);
                return;
            }
            Channels.send(guest, content);
            guestWritable(guest.isWritable());
        }

        /** Before its answer began another may be asked; after that the guest must see that it is cut. */
        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (over) {
                return;
            }
            if (begun) {
                over = true;
                Channels.close(guest);
            } else {
                askNext();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            log.debug("{}: a registry's answer: {}", wanted, cause.toString());
            Channels.close(context.channel());
        }
    }
}
