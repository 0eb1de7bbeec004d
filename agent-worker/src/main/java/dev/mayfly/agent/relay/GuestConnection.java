package dev.mayfly.agent.relay;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpChunkedInput;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.stream.ChunkedStream;
import io.netty.handler.stream.ChunkedWriteHandler;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayInputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection of a guest: reads one request, answers it or has an {@link Exchange} pass it on, and closes. What the
 * guest still sends after the answer is read and dropped for a while, because closing over unread bytes would reset the
 * connection and lose the answer.
 */
final class GuestConnection extends ChannelInboundHandlerAdapter {

    private static final Logger LOG = LoggerFactory.getLogger(GuestConnection.class);

    private static final int PIECE = 1 << 14;

    private final RelaySettings settings;
    private final GuestLog log;
    private final VmDirectory vms;
    private final InetAddress peer;
    private final Executor blocking;
    private @Nullable Exchange exchange;
    private @Nullable ScheduledFuture<?> headDeadline;
    private boolean headRead;
    private boolean requestRead;
    private boolean answered;

    GuestConnection(RelaySettings settings, GuestLog log, VmDirectory vms, InetAddress peer, Executor blocking) {
        this.settings = settings;
        this.log = log;
        this.vms = vms;
        this.peer = peer;
        this.blocking = blocking;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        Channels.readOn(context.channel());
        headDeadline = context.executor()
                .schedule(
                        () -> Channels.close(context.channel()),
                        settings.requestTimeout().toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (requestRead) {
            // A second request on the connection. Its body must not be taken for the first one's.
            ReferenceCountUtil.release(message);
            readOnOrClose(context.channel());
            return;
        }
        requestRead = message instanceof LastHttpContent;
        if (message instanceof HttpObject part && part.decoderResult().isFailure()) {
            ReferenceCountUtil.release(message);
            noHttp(context.channel());
        } else if (message instanceof HttpRequest request && !headRead) {
            headRead = true;
            stopHeadDeadline();
            begin(context.channel(), request);
        } else if (exchange != null && message instanceof HttpContent content) {
            exchange.fromGuest(content);
        } else {
            ReferenceCountUtil.release(message);
            readOnOrClose(context.channel());
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (exchange != null) {
            exchange.guestWritable();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        stopHeadDeadline();
        if (exchange != null) {
            exchange.end();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof IdleStateEvent) {
            if (exchange != null) {
                exchange.idle();
            } else {
                Channels.close(context.channel());
            }
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.debug("connection of {}: {}", peer, cause.toString());
        Channels.close(context.channel());
    }

    private void begin(Channel guest, HttpRequest request) {
        if (isAmbiguous(request)) {
            noHttp(guest);
            return;
        }
        Optional<RelayedVm> vm = vms.at(peer);
        if (vm.isEmpty()) {
            log.warn("address " + peer, "refused a request from {}: no VM of this host has that address", peer);
            answer(guest, HttpResponseStatus.FORBIDDEN, "");
            return;
        }
        Route route = Route.of(request.method(), request.uri());
        switch (route.kind()) {
            case VERIFY_RUNNER -> answer(guest, HttpResponseStatus.OK, "{}");
            case REQUEST_JOB -> requestJob(guest, vm.get());
            case OTHER -> refuse(guest, vm.get(), request);
            default -> passOn(guest, vm.get(), route, request);
        }
    }

    private void requestJob(Channel guest, RelayedVm vm) {
        Optional<RelayedJob> job = vm.job();
        if (job.isEmpty()) {
            answer(guest, HttpResponseStatus.SERVICE_UNAVAILABLE, "");
            return;
        }
        var unused = job.get()
                .payload()
                .whenCompleteAsync(
                        (payload, failure) -> {
                            if (failure != null) {
                                log.warn(
                                        "payload " + vm.slotId(),
                                        "slot {}: payload not served: {}",
                                        vm.slotId(),
                                        failure.toString());
                                answer(guest, HttpResponseStatus.SERVICE_UNAVAILABLE, "");
                            } else if (payload.isPresent()) {
                                serve(guest, payload.get());
                            } else {
                                answer(guest, HttpResponseStatus.NO_CONTENT, "");
                            }
                        },
                        guest.eventLoop());
    }

    private void passOn(Channel guest, RelayedVm vm, Route route, HttpRequest request) {
        Optional<RelayedJob> job = vm.job();
        if (job.isEmpty()) {
            answer(guest, HttpResponseStatus.SERVICE_UNAVAILABLE, "");
        } else if (!route.isOf(job.get())) {
            refuse(guest, vm, request);
        } else {
            Exchange begun = new Exchange(settings, log, this, guest, vm.slotId(), job.get(), route, request);
            exchange = begun;
            begun.begin(blocking);
        }
    }

    private void noHttp(Channel guest) {
        if (exchange != null) {
            exchange.fail("the rest of the request is no HTTP", HttpResponseStatus.BAD_REQUEST);
        } else {
            answer(guest, HttpResponseStatus.BAD_REQUEST, "");
        }
    }

    /** GitLab, or what stands before it, might find another end of the request than we do. */
    private static boolean isAmbiguous(HttpRequest request) {
        if (!request.protocolVersion().equals(HttpVersion.HTTP_1_1)
                && !request.protocolVersion().equals(HttpVersion.HTTP_1_0)) {
            return true;
        }
        List<String> coding = request.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
        return !coding.isEmpty()
                && (!coding.equals(List.of("chunked"))
                        || request.headers().contains(HttpHeaderNames.CONTENT_LENGTH)
                        || !request.protocolVersion().equals(HttpVersion.HTTP_1_1));
    }

    private void refuse(Channel guest, RelayedVm vm, HttpRequest request) {
        // Without its query, and no longer than a path of the protocol.
        String path = request.uri().split("\\?", 2)[0];
        String line = request.method() + " " + path;
        log.warn(
                "refused " + vm.slotId(),
                "slot {}: the guest may not {}",
                vm.slotId(),
                line.substring(0, Math.min(line.length(), 90)).replaceAll("[^ -~]", "?"));
        answer(guest, HttpResponseStatus.FORBIDDEN, "");
    }

    /** In pieces, as the guest reads them: a payload may have megabytes, and be asked for often. */
    private void serve(Channel guest, byte[] payload) {
        if (answered) {
            return;
        }
        guest.pipeline().addBefore(guest.pipeline().context(this).name(), null, new ChunkedWriteHandler());
        HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CREATED);
        setHeaders(head, payload.length);
        guest.write(head).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        guest.writeAndFlush(new HttpChunkedInput(new ChunkedStream(new ByteArrayInputStream(payload), PIECE)))
                .addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        finish(guest);
    }

    /** Answers without GitLab. */
    void answer(Channel guest, HttpResponseStatus status, String body) {
        if (answered) {
            return;
        }
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        FullHttpResponse response =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(bytes));
        setHeaders(response, bytes.length);
        guest.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        finish(guest);
    }

    private static void setHeaders(HttpResponse response, int length) {
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON)
                .set(HttpHeaderNames.CONTENT_LENGTH, length)
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    }

    /** The answer is written: drops the rest of the request, if any, and closes. */
    void finish(Channel guest) {
        exchange = null;
        answered = true;
        if (!requestRead) {
            var unused = guest.eventLoop()
                    .schedule(
                            () -> Channels.close(guest),
                            settings.lingerTimeout().toMillis(),
                            TimeUnit.MILLISECONDS);
        }
        readOnOrClose(guest);
    }

    private void stopHeadDeadline() {
        if (headDeadline != null) {
            headDeadline.cancel(false);
        }
    }

    private void readOnOrClose(Channel guest) {
        if (answered && requestRead) {
            guest.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        } else {
            Channels.readOn(guest);
        }
    }
}
