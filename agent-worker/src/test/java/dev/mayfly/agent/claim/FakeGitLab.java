package dev.mayfly.agent.claim;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A GitLab of a few lines that keeps the protocol's rules for jobs and notes every call, as {@code PUT 7 running}. */
final class FakeGitLab implements AutoCloseable {

    private final ObjectMapper json = new ObjectMapper();
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Deque<byte[]> waiting = new ArrayDeque<>();
    private final Map<Long, String> states = new HashMap<>();
    private final StringBuilder log = new StringBuilder();

    final List<String> calls = new CopyOnWriteArrayList<>();
    final List<JsonNode> requests = new CopyOnWriteArrayList<>();
    final List<JsonNode> updates = new CopyOnWriteArrayList<>();
    volatile boolean twoPhase = true;
    /** Answers a call with this status instead, if not null. */
    volatile Function<String, @Nullable Integer> fault = call -> null;
    /** Holds the answers of calls that start so until it is opened. */
    volatile String heldPrefix = "none";

    volatile CountDownLatch gate = new CountDownLatch(1);

    FakeGitLab() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    synchronized byte[] offer(long id) {
        byte[] payload = payload(id);
        waiting.add(payload);
        return payload;
    }

    static byte[] payload(long id) {
        return """
                {"id":%d,"token":"job-token-%d","job_info":{"project_id":42,"name":"t"},
                 "variables":[{"key":"A","value":"hunter-two","masked":true},{"key":"B","value":"open","masked":false}],
                 "dependencies":[{"id":3,"token":"dep-token-3"}],"features":{"failure_reasons":[]},"x":"\\u00e9 kept "}""".formatted(id, id).getBytes(StandardCharsets.UTF_8);
    }

    synchronized String state(long id) {
        return states.getOrDefault(id, "unknown");
    }

    synchronized void set(long id, String state) {
        states.put(id, state);
    }

    synchronized String log() {
        return log.toString();
    }

    synchronized void wrote(String text) {
        log.append(text);
    }

    long count(String call) {
        return calls.stream().filter(call::equals).count();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            String[] path = exchange.getRequestURI().getPath().split("/", -1);
            String what = path[4].equals("request") ? "request" : path[4];
            JsonNode tree = exchange.getRequestMethod().equals("PATCH") ? json.nullNode() : json.readTree(body);
            String state = tree.path("state").asText("");
            String call = (exchange.getRequestMethod() + " " + what + " " + state).strip();
            calls.add(call);
            byte[] answer = new byte[0];
            Integer status = fault.apply(call);
            if (status == null && what.equals("request")) {
                requests.add(tree);
                byte[] job = hand();
                status = job == null ? 204 : 201;
                answer = job == null ? answer : job;
                exchange.getResponseHeaders().set("Content-Type", "application/json");
            } else if (status == null) {
                status = update(exchange, Long.parseLong(what), state, tree, body);
            }
            if (call.startsWith(heldPrefix)) {
                gate.await();
            }
            exchange.sendResponseHeaders(status, answer.length == 0 ? -1 : answer.length);
            exchange.getResponseBody().write(answer);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized byte @Nullable [] hand() throws IOException {
        byte[] job = waiting.poll();
        if (job != null) {
            states.put(json.readTree(job).path("id").asLong(), twoPhase ? "claimed" : "running");
        }
        return job;
    }

    private synchronized int update(HttpExchange exchange, long id, String state, JsonNode tree, byte[] body) {
        String now = state(id);
        if (!now.equals("claimed") && !now.equals("running")) {
            return 403;
        }
        if (exchange.getRequestMethod().equals("PATCH")) {
            String range = exchange.getRequestHeaders().getFirst("Content-Range");
            exchange.getResponseHeaders().set("Range", "0-" + log.length());
            exchange.getResponseHeaders().set("Job-Status", now);
            if (!range.startsWith(log.length() + "-")) {
                return 416;
            }
            log.append(new String(body, StandardCharsets.UTF_8));
            exchange.getResponseHeaders().set("Range", "0-" + log.length());
            return 202;
        }
        updates.add(tree);
        if (state.equals("pending")) {
            return now.equals("claimed") ? 200 : 400;
        }
        if (!state.equals("running") && now.equals("claimed")) {
            return 400;
        }
        states.put(id, state);
        return 200;
    }
}
