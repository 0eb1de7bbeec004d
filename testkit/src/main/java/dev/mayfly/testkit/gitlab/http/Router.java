package dev.mayfly.testkit.gitlab.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the handler of a request, answers errors in GitLab's shape. Routes of REST run under the instance's lock, with
 * their parameters read before and their body written after; streaming routes take the lock themselves.
 */
public final class Router implements HttpHandler {
    private static final Logger log = LoggerFactory.getLogger(Router.class);

    /** Answers one call. */
    @FunctionalInterface
    public interface Handler {
        Reply handle(HttpCall call) throws IOException;
    }

    private record Route(String method, Pattern pattern, List<String> names, Handler handler) {}

    private final Lock lock;
    private final Function<HttpCall, Optional<Reply>> before;
    private final List<Route> routes = new ArrayList<>();

    /** @param before looks at every call first; an answer from it ends the call (faults) */
    public Router(Lock lock, Function<HttpCall, Optional<Reply>> before) {
        this.lock = lock;
        this.before = before;
    }

    /** A route whose handler runs under the lock; {@code :name} captures one segment. */
    public void rest(String method, String path, Handler handler) {
        streaming(method, path, call -> {
            call.parameters();
            lock.lock();
            try {
                return handler.handle(call);
            } finally {
                lock.unlock();
            }
        });
    }

    /** A route whose handler takes the lock itself where it needs it. */
    public void streaming(String method, String path, Handler handler) {
        List<String> names = new ArrayList<>();
        StringBuilder regex = new StringBuilder();
        for (String segment : path.substring(1).split("/", -1)) {
            regex.append('/');
            if (segment.startsWith(":")) {
                names.add(segment.substring(1));
                regex.append("([^/]+)");
            } else {
                regex.append(Pattern.quote(segment));
            }
        }
        routes.add(new Route(method, Pattern.compile(regex.toString()), names, handler));
    }

    /** A route by regular expression over the raw path; its groups are named by {@code names} in turn. */
    public void matching(String method, String regex, List<String> names, Handler handler) {
        routes.add(new Route(method, Pattern.compile(regex), names, handler));
    }

    @Override
    public void handle(HttpExchange exchange) {
        String method = exchange.getRequestMethod();
        String path = exchange.getRequestURI().getRawPath();
        // Closing the exchange ends the connection, so only a failure does it: others are kept alive.
        try {
            Reply reply = answer(exchange, method, path);
            log.debug("{} {} {}", method, path, reply.status());
            send(exchange, reply, method.equals("HEAD"));
        } catch (IOException e) {
            log.debug("{} {}: connection ended: {}", method, path, e.toString());
            exchange.close();
        } catch (RuntimeException e) {
            log.error("{} {}: answer failed half-way", method, path, e);
            exchange.close();
        }
    }

    private Reply answer(HttpExchange exchange, String method, String path) throws IOException {
        try {
            boolean otherMethod = false;
            for (Route route : routes) {
                Matcher matcher = route.pattern().matcher(path);
                if (!matcher.matches()) {
                    continue;
                }
                if (!route.method().equals(method)
                        && !(method.equals("HEAD") && route.method().equals("GET"))) {
                    otherMethod = true;
                    continue;
                }
                HttpCall call = new HttpCall(exchange, captured(route, matcher));
                Optional<Reply> early = before.apply(call);
                return early.isPresent() ? early.get() : route.handler().handle(call);
            }
            return otherMethod
                    ? Reply.json(405, Json.object("error", "405 Not Allowed"))
                    : Reply.json(404, Json.object("error", "404 Not Found"));
        } catch (ApiException e) {
            return e.reply();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } catch (RuntimeException e) {
            log.error("{} {} failed", method, path, e);
            return Reply.json(500, Json.object("message", "500 Internal Server Error"));
        }
    }

    private static Map<String, String> captured(Route route, Matcher matcher) {
        Map<String, String> values = new LinkedHashMap<>();
        for (int i = 0; i < route.names().size(); i++) {
            @Nullable String group = matcher.group(i + 1);
            values.put(
                    route.names().get(i),
                    group == null ? "" : URLDecoder.decode(group.replace("+", "%2B"), StandardCharsets.UTF_8));
        }
        return values;
    }

    private static void send(HttpExchange exchange, Reply reply, boolean head) throws IOException {
        reply.headers().forEach((name, value) -> exchange.getResponseHeaders().set(name, value));
        Reply.BodyWriter body = reply.body();
        if (body == null || head) {
            exchange.sendResponseHeaders(reply.status(), -1);
            return;
        }
        exchange.sendResponseHeaders(reply.status(), reply.length() < 0 ? 0 : reply.length());
        try (OutputStream out = exchange.getResponseBody()) {
            body.writeTo(out);
        }
    }
}
