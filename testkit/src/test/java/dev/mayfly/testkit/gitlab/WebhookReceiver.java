package dev.mayfly.testkit.gitlab;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Receives webhooks, keeps them, answers as it was told. */
final class WebhookReceiver implements AutoCloseable {
    record Delivery(Headers headers, String body) {
        JsonNode json() {
            try {
                return Answer.MAPPER.readTree(body);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        /** The event, and the status of what it is about. */
        String event() {
            String status = json().path("object_kind").asText().equals("build")
                    ? json().path("build_name").asText() + " "
                            + json().path("build_status").asText()
                    : json().path("object_attributes").path("status").asText();
            return headers.getFirst("X-Gitlab-Event") + ": " + status;
        }
    }

    final List<Delivery> deliveries = new CopyOnWriteArrayList<>();
    final AtomicInteger answer = new AtomicInteger(200);
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    WebhookReceiver() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        server.createContext("/", this::receive);
        server.setExecutor(threads);
        server.start();
    }

    private void receive(HttpExchange exchange) throws IOException {
        Delivery delivery = new Delivery(
                exchange.getRequestHeaders(),
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        deliveries.add(delivery); // before the answer: whoever waits for that finds it here
        exchange.sendResponseHeaders(answer.get(), -1);
        exchange.close();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/hook";
    }

    List<String> events() {
        return deliveries.stream().map(Delivery::event).toList();
    }

    void await(String event) {
        TestGitLab.await(event + ", not only " + events(), () -> events().contains(event));
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
