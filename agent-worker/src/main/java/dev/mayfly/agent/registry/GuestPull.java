package dev.mayfly.agent.registry;

import dev.mayfly.agent.registry.RegistryFront.Limits;
import dev.mayfly.agent.relay.Channels;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection of a guest to the {@link RegistryFront}: reads one request, answers it or has the registries behind be
 * asked in turn, and closes. Once the request is read nothing more is, so a guest's flood stays in its own buffers.
 */
final class GuestPull extends ChannelInboundHandlerAdapter {

    private static final Logger log = LoggerFactory.getLogger(GuestPull.class);
    private static final String VERSION_HEADER = "Docker-Distribution-Api-Version";

    private final Function<RegistryRequest, List<Source>> sources;
    private final Limits limits;
    private @Nullable HttpRequest head;
    private @Nullable BackendAnswer answer;
    private boolean answered;

    /** A registry behind, and where it has what is asked for. */
    record Source(Backend backend, String target) {}

    GuestPull(Function<RegistryRequest, List<Source>> sources, Limits limits) {
        this.sources = sources;
        this.limits = limits;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        closeAfter(context, limits.head(), () -> head == null);
        closeAfter(context, limits.whole(), () -> true);
    }

    private static void closeAfter(ChannelHandlerContext context, Duration time, BooleanSupplier condition) {
        var timer = context.executor()
                .schedule(
                        () -> {
                            if (condition.getAsBoolean()) {
                                Channels.close(context.channel());
                            }
                        },
                        time.toMillis(),
                        TimeUnit.MILLISECONDS);
        context.channel().closeFuture().addListener(closed -> timer.cancel(false));
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        try {
            if (answered || answer != null) {
                return;
            }
            if (message instanceof HttpObject part && part.decoderResult().isFailure()) {
                refuse(context.channel(), HttpResponseStatus.BAD_REQUEST, "UNSUPPORTED", "this is no HTTP request");
            } else if (message instanceof HttpRequest request) {
                head = request;
            } else if (message instanceof LastHttpContent && head != null) {
                context.channel().config().setAutoRead(false);
                begin(context.channel(), head);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void begin(Channel guest, HttpRequest request) {
        boolean head = request.method().equals(HttpMethod.HEAD);
        if (!head && !request.method().equals(HttpMethod.GET)) {
            refuse(
                    guest,
                    HttpResponseStatus.METHOD_NOT_ALLOWED,
                    "UNSUPPORTED",
                    "this host's registry is read only; push to a registry of your own");
        } else if (HttpUtil.isTransferEncodingChunked(request)
                || request.headers().getAll(HttpHeaderNames.CONTENT_LENGTH).stream()
                        .anyMatch(length -> !length.equals("0"))) {
            refuse(guest, HttpResponseStatus.BAD_REQUEST, "UNSUPPORTED", "a request to read has no body");
        } else if (request.uri().equals(RegistryRequest.BASE)) {
            answer(guest, HttpResponseStatus.OK, "{}");
        } else {
            Optional<RegistryRequest> wanted = RegistryRequest.parse(request.uri());
            if (wanted.isEmpty()) {
                refuse(guest, HttpResponseStatus.NOT_FOUND, "NAME_INVALID", "no image has that address");
            } else {
                BackendAnswer begun =
                        new BackendAnswer(this, guest, request, wanted.get(), sources.apply(wanted.get()), limits);
                answer = begun;
                begun.askNext();
            }
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (answer != null) {
            answer.guestWritable(context.channel().isWritable());
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (answer != null) {
            answer.end();
        }
    }

    /** Nothing has moved for too long. */
    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        Channels.close(context.channel());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        log.debug("connection of {}: {}", context.channel().remoteAddress(), cause.toString());
        Channels.close(context.channel());
    }

    /** Answers with an error in the registry protocol's form. {@code text} holds no character that JSON would escape. */
    void refuse(Channel guest, HttpResponseStatus status, String code, String text) {
        answer(guest, status, "{\"errors\":[{\"code\":\"%s\",\"message\":\"%s\"}]}".formatted(code, text));
    }

    private void answer(Channel guest, HttpResponseStatus status, String body) {
        if (answered) {
            return;
        }
        answered = true;
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        boolean noBody = head != null && head.method().equals(HttpMethod.HEAD);
        ByteBuf content = noBody ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(bytes);
        DefaultFullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, content);
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON)
                .set(HttpHeaderNames.CONTENT_LENGTH, bytes.length)
                .set(VERSION_HEADER, "registry/2.0")
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        guest.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }
}
