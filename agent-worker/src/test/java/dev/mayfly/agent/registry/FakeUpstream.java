package dev.mayfly.agent.registry;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.mayfly.agent.registry.TestArchives.Image;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** A registry somewhere else: it has what it was given, remembers who asked, and can be slow, silent or away. */
final class FakeUpstream implements AutoCloseable {

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, String> content = new ConcurrentHashMap<>();
    /** Method and path of each request, and what it said of who asks. */
    final List<String> asked = new CopyOnWriteArrayList<>();

    /** Set: nothing is answered before it is open. */
    volatile @Nullable CountDownLatch gate;
    /** Set: the second half of each blob is sent when it is open. */
    volatile @Nullable CountDownLatch half;

    volatile int refuses;

    FakeUpstream() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    Upstream as(String name) {
        return Upstream.parse(
                "%s=http://127.0.0.1:%d".formatted(name, server.getAddress().getPort()));
    }

    void has(String repository, String tag, Image image) {
        String base = "/v2/" + repository;
        content.put(base + "/manifests/" + tag, image.manifest());
        content.put(base + "/manifests/" + TestArchives.digest(image.manifest()), image.manifest());
        content.put(base + "/blobs/" + TestArchives.digest(image.config()), image.config());
        content.put(base + "/blobs/" + TestArchives.digest(image.layer()), image.layer());
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        asked.add(exchange.getRequestMethod() + " " + path + " "
                + exchange.getRequestHeaders().get("Authorization"));
        try (exchange) {
            await(gate);
            String body = path.equals("/v2/") ? "{}" : content.get(path);
            if (body == null || (refuses != 0 && !path.equals("/v2/"))) {
                exchange.sendResponseHeaders(body == null ? 404 : refuses, -1);
                return;
            }
            byte[] bytes = body.getBytes(StandardCharsets.ISO_8859_1);
            exchange.getResponseHeaders()
                    .set(
                            "Content-Type",
                            path.contains("/manifests/") ? TestArchives.MANIFEST : "application/octet-stream");
            exchange.getResponseHeaders().set("Docker-Content-Digest", TestArchives.digest(body));
            if (exchange.getRequestMethod().equals("HEAD")) {
                exchange.getResponseHeaders().set("Content-Length", Integer.toString(bytes.length));
                exchange.sendResponseHeaders(200, -1);
                return;
            }
            exchange.sendResponseHeaders(200, bytes.length);
            int middle = bytes.length / 2;
            exchange.getResponseBody().write(bytes, 0, middle);
            if (path.contains("/blobs/")) {
                exchange.getResponseBody().flush();
                await(half);
            }
            exchange.getResponseBody().write(bytes, middle, bytes.length - middle);
        }
    }

    private static void await(@Nullable CountDownLatch latch) throws IOException {
        try {
            if (latch != null) {
                latch.await();
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
