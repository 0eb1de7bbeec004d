package dev.mayfly.agent.relay;

import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;

/** Heads as they are passed on: unchanged, but for what speaks of one connection and not of the message. */
final class Forwarded {

    /** {@code Expect} is answered by the relay. */
    private static final List<CharSequence> OF_THE_CONNECTION = List.of(
            HttpHeaderNames.CONNECTION,
            "keep-alive",
            "proxy-connection",
            HttpHeaderNames.TE,
            HttpHeaderNames.UPGRADE,
            HttpHeaderNames.EXPECT);

    private Forwarded() {}

    static HttpRequest request(HttpRequest request, Upstream to) {
        HttpHeaders headers = headers(request.headers()).set(HttpHeaderNames.HOST, to.authority());
        return new DefaultHttpRequest(HttpVersion.HTTP_1_1, request.method(), to.pathPrefix() + request.uri(), headers);
    }

    static HttpResponse answer(HttpResponse answer) {
        return new DefaultHttpResponse(HttpVersion.HTTP_1_1, answer.status(), headers(answer.headers()));
    }

    private static HttpHeaders headers(HttpHeaders received) {
        HttpHeaders headers = received.copy();
        OF_THE_CONNECTION.forEach(headers::remove);
        return headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    }
}
