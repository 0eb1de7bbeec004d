package dev.mayfly.agent.relay;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * One request of a guest on its way to GitLab, and the answer on its way back. Both connections live on one event loop,
 * so nothing here is called by two threads. Each side is read only as fast as the other takes it: {@code read()} is
 * called when the last piece was written to a connection that takes more.
 */
final class Exchange {

    private static final String JOB_TOKEN = "JOB-TOKEN";
    private static final String JOB_STATUS = "Job-Status";

    private final RelaySettings settings;
    private final GuestLog log;
    private final GuestConnection connection;
    private final Channel guest;
    private final String slotId;
    private final RelayedJob job;
    private final Route route;
    private final HttpRequest request;
    private final UpdateReader body = new UpdateReader();
    private @Nullable Channel gitlab;
    private boolean updateOpen;
    private boolean answerBegun;
    private boolean skipping;
    private boolean ended;

    Exchange(
            RelaySettings settings,
            GuestLog log,
            GuestConnection connection,
            Channel guest,
            String slotId,
            RelayedJob job,
            Route route,
            HttpRequest request) {
        this.settings = settings;
        this.log = log;
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
        if (found.isUnresolved()) {
            fail("the name " + upstream.host() + " can't be resolved");
            return;
        }
        ChannelFuture connecting = upstream.connect(found, guest.eventLoop(), settings.idleTimeout(), new FromGitLab());
        gitlab = connecting.channel();
        connecting.addListener(done -> {
            if (done.isSuccess()) {
                sendHead(connecting.channel(), upstream);
            } else {
                fail(String.valueOf(done.cause().getMessage()));
            }
        });
    }

    private void sendHead(Channel to, Upstream upstream) {
        Channels.send(to, Forwarded.request(request, upstream));
        Channels.readOn(to);
        if (HttpUtil.is100ContinueExpected(request)) {
            Channels.send(guest, new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
        }
        Channels.readOn(guest);
    }

    /** A piece of the request's body. */
    void fromGuest(HttpContent content) {
        Channel to = gitlab;
        if (ended || answerBegun || to == null || !to.isActive()) {
            // GitLab has answered, or its answer may be on its way still: the rest is not wanted.
            content.release();
            Channels.readOn(guest);
            return;
        }
        if (route.kind() == Route.Kind.UPDATE) {
            body.add(content.content());
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

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            if (context.channel().isWritable() && !ended) {
                Channels.readOn(guest);
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof IdleStateEvent) {
                idle();
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
            Channels.readOn(from);
            return;
        }
        HttpResponse answer = Forwarded.answer(response);
        if (!updateOpen) {
            passHead(from, answer);
            return;
        }
        updateOpen = false;
        var unused = job.updateAnswered(update(response))
                .whenCompleteAsync((done, failure) -> passHead(from, answer), guest.eventLoop());
    }

    private Update update(HttpResponse answer) {
        String inBody = body.field("token");
        String token = inBody != null ? inBody : request.headers().get(JOB_TOKEN, "");
        return new Update(
                body.field("state"),
                job.isItsToken(token),
                answer.status().code(),
                answer.headers().get(JOB_STATUS));
    }

    private void passHead(Channel from, HttpResponse answer) {
        if (!ended) {
            answerBegun = true;
            Channels.send(guest, answer);
            Channels.readOn(from);
            // If GitLab answered early: a guest may not look for the answer before it has sent everything.
            Channels.readOn(guest);
        }
    }

    private void body(Channel from, HttpContent content) {
        boolean last = content instanceof LastHttpContent;
        if (skipping) {
            content.release();
            skipping = !last;
            Channels.readOn(from);
            return;
        }
        Channels.send(guest, content);
        if (last) {
            ended = true;
            Channels.close(from);
            connection.finish(guest);
        } else if (guest.isWritable()) {
            Channels.readOn(from);
        }
    }

    // ---- ends

    void guestWritable() {
        if (guest.isWritable() && gitlab != null && answerBegun && !ended) {
            Channels.readOn(gitlab);
        }
    }

    /** Neither side gets on. */
    void idle() {
        fail("nothing moved for " + settings.idleTimeout());
    }

    /** GitLab can't be reached, or its answer broke off. */
    private void fail(@Nullable String reason) {
        fail(reason, HttpResponseStatus.SERVICE_UNAVAILABLE);
    }

    /** The guest gets {@code status}, unless GitLab's answer is on its way already: that is cut. */
    void fail(@Nullable String reason, HttpResponseStatus status) {
        if (ended) {
            return;
        }
        log.warn(
                "lost " + slotId,
                "slot {}: {} of job number {} did not get through: {}",
                slotId,
                route.kind(),
                job.id(),
                String.valueOf(reason));
        boolean cut = answerBegun;
        end();
        if (cut) {
            Channels.close(guest);
        } else {
            connection.answer(guest, status, "");
        }
    }

    /** Also: the guest is gone. */
    void end() {
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
