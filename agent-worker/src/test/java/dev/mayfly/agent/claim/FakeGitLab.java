package dev.mayfly.agent.claim;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A GitLab of a few lines that keeps the protocol's rules for jobs and notes every call, as {@code PUT 7 running}. */
final class FakeGitLab implements AutoCloseable {

    private static final Pattern ID = Pattern.compile("\\{\"id\":(\\d+),");

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
    /** Goes with every such answer, if not null. */
    volatile @Nullable String retryAfter;
    /** Does what these calls ask, and cuts the connection instead of answering. */
    volatile Predicate<String> cut = call -> false;
    /** Cuts every connection before anything is done. */
    volatile boolean away;
    /** How many calls found it away. */
    final AtomicInteger missed = new AtomicInteger();

    private final List<Instant> times = new CopyOnWriteArrayList<>();
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
        return offer(payload(id));
    }

    /** The next answer to a request for a job, whatever it is. */
    synchronized byte[] offer(byte[] payload) {
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

    /** Between the n-th of these calls, from 1, and the next. */
    Duration gap(String call, int n) {
        int[] at = IntStream.range(0, times.size())
                .filter(i -> calls.get(i).equals(call))
                .skip(n - 1)
                .limit(2)
                .toArray();
        return Duration.between(times.get(at[0]), times.get(at[1]));
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
            if (away) {
                missed.incrementAndGet();
                return;
            }
            calls.add(call);
            times.add(Instant.now());
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
            if (cut.test(call)) {
                return;
            }
            if (retryAfter != null) {
                exchange.getResponseHeaders().set("Retry-After", retryAfter);
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

    private synchronized byte @Nullable [] hand() {
        byte[] job = waiting.poll();
        if (job != null) {
            Matcher id = ID.matcher(new String(job, StandardCharsets.UTF_8));
            if (id.find()) {
                states.put(Long.parseLong(id.group(1)), twoPhase ? "claimed" : "running");
            }
        }
        return job;
    }

    private synchronized int update(HttpExchange exchange, long id, String state, JsonNode tree, byte[] body) {
        String now = state(id);
        String token = tree.path("token").asText(exchange.getRequestHeaders().getFirst("JOB-TOKEN"));
        if (!List.of("claimed", "running", "canceling").contains(now) || !("job-token-" + id).equals(token)) {
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
        String then = now.equals("canceling") ? (state.equals("running") ? now : "canceled") : state;
        states.put(id, then);
        exchange.getResponseHeaders().set("Job-Status", then);
        return 200;
    }
}
