package dev.mayfly.api;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.testkit.PostgresExtension;
import dev.mayfly.testkit.gitlab.SimulatedGitLab;
import dev.mayfly.testkit.gitlab.SimulatedGitLabOptions;
import io.dropwizard.testing.DropwizardTestSupport;
import io.temporal.testserver.TestServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/**
 * The whole control plane in this JVM, with a PostgreSQL database of its own, a simulated GitLab and Temporal's test
 * server; reached over HTTP only. A {@code static} field with {@code @RegisterExtension}.
 */
public final class ControlPlane implements BeforeAllCallback, AfterAllCallback {

    public static final String INSTANCE = "gl";
    public static final String WEBHOOK_TOKEN = "the-webhook-token";
    public static final String SIGNING_TOKEN = "whsec_"
            + Base64.getEncoder()
                    .encodeToString("0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII));
    public static final String API_TOKEN = "the-api-token";
    public static final String CREDENTIAL = "credential-of-host-1";
    public static final String OTHER_CREDENTIAL = "credential-of-host-2";
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final UnaryOperator<String> change;
    private final PostgresExtension postgres = new PostgresExtension();
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final @Nullable Parts[] parts = new Parts[1];

    private record Parts(
            Path folder,
            SimulatedGitLab gitlab,
            TestServer.PortBoundTestServer temporal,
            DropwizardTestSupport<ApiConfiguration> server) {}

    /** An answer as its reader sees it. */
    public record Answer(int status, HttpHeaders headers, String body) {

        public JsonNode json() {
            try {
                return JSON.readTree(body);
            } catch (IOException e) {
                throw new AssertionError("no JSON: " + body, e);
            }
        }

        /** What a problem says. */
        public String detail() {
            return json().path("detail").asText();
        }

        public String type() {
            return headers.firstValue("Content-Type").orElse("");
        }
    }

    public ControlPlane() {
        this(config -> config);
    }

    /** @param change makes another configuration file out of the usual one */
    public ControlPlane(UnaryOperator<String> change) {
        this.change = change;
    }

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        postgres.beforeAll(context);
        Path folder = Files.createTempDirectory("mayfly-api-test");
        SimulatedGitLab gitlab =
                SimulatedGitLab.start(SimulatedGitLabOptions.plainOnLoopback(folder.resolve("gitlab")));
        int port = freePort();
        TestServer.PortBoundTestServer temporal = TestServer.createPortBoundServer(port);
        Path config = writeConfig(folder, postgres, gitlab.url(), gitlab.rootToken(), "127.0.0.1:" + port, change);
        var server = new DropwizardTestSupport<>(ApiApplication.class, config.toString());
        parts[0] = new Parts(folder, gitlab, temporal, server);
        server.before();
        if (Files.readString(config).contains("127.0.0.1:" + port)) {
            // What tests push later is then told by webhooks alone.
            var rounds = server.getEnvironment().metrics().counter("mayfly.reconciler.rounds");
            await("the reconciler's first round", () -> rounds.getCount() > 0);
        }
        log.start();
        ((Logger) LoggerFactory.getLogger("dev.mayfly")).addAppender(log);
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException {
        Parts running = parts();
        ((Logger) LoggerFactory.getLogger("dev.mayfly")).detachAppender(log);
        running.server().after();
        running.temporal().close();
        running.gitlab().close();
        postgres.afterAll(context);
        try (var files = Files.walk(running.folder())) {
            files.sorted(java.util.Comparator.reverseOrder()).map(Path::toFile).forEach(java.io.File::delete);
        }
    }

    /** A configuration file with its secrets beside it. */
    public static Path writeConfig(
            Path folder,
            PostgresExtension postgres,
            String gitlabUrl,
            String gitlabToken,
            String temporal,
            UnaryOperator<String> change)
            throws IOException {
        Files.createDirectories(folder.resolve("hosts"));
        Files.writeString(folder.resolve("hosts/host-1"), CREDENTIAL);
        Files.writeString(folder.resolve("hosts/host-2"), OTHER_CREDENTIAL);
        Files.writeString(folder.resolve("webhook-token"), WEBHOOK_TOKEN);
        Files.writeString(folder.resolve("signing-token"), SIGNING_TOKEN);
        Files.writeString(folder.resolve("api-token"), API_TOKEN);
        Files.writeString(folder.resolve("gitlab-token"), gitlabToken);
        Files.writeString(folder.resolve("database"), postgres.password());
        Files.writeString(folder.resolve("seal-key"), Base64.getEncoder().encodeToString(new byte[32]));
        String text = """
                database: {url: "%2$s", user: %3$s, password: "file:%1$s/database"}
                temporal: {target: "%6$s", namespace: default}
                gitlab:
                  - {name: gl, url: "%5$s", token: "file:%1$s/gitlab-token",
                     webhookToken: "file:%1$s/webhook-token", signingToken: "file:%1$s/signing-token"}
                agents: {credentialsDir: "%1$s/hosts"}
                sealKey: file:%1$s/seal-key
                apiToken: file:%1$s/api-token
                webhook: {maxBody: 64KiB}
                reconcileEvery: 1h
                server:
                  applicationConnectors: [{type: http, bindHost: 127.0.0.1, port: 0}]
                  adminConnectors: [{type: http, bindHost: 127.0.0.1, port: 0}]
                  requestLog: {appenders: []}
                logging: {level: INFO, appenders: [{type: console}]}
                """.formatted(folder, postgres.url(), postgres.user(), postgres.password(), gitlabUrl, temporal);
        return Files.writeString(folder.resolve("api.yml"), change.apply(text));
    }

    private Parts parts() {
        Parts running = parts[0];
        if (running == null) {
            throw new IllegalStateException("use ControlPlane as a static field with @RegisterExtension");
        }
        return running;
    }

    public SimulatedGitLab gitlab() {
        return parts().gitlab();
    }

    public PostgresExtension postgres() {
        return postgres;
    }

    public Path config() {
        return parts().folder().resolve("api.yml");
    }

    public Path folder() {
        return parts().folder();
    }

    public int port() {
        return parts().server().getLocalPort();
    }

    /** SQL for what is brought about in its database by no call. */
    public void execute(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(postgres.url(), postgres.user(), postgres.password());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    public String url() {
        return "http://127.0.0.1:" + port();
    }

    public String adminUrl() {
        return "http://127.0.0.1:" + parts().server().getAdminPort();
    }

    public Answer send(String method, String url, Map<String, String> headers, byte[] body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url))
                .timeout(PATIENCE)
                .method(method, HttpRequest.BodyPublishers.ofByteArray(body));
        headers.forEach(request::header);
        try {
            // A client of its own: a connection that is kept may be one that the server has just closed.
            HttpResponse<String> response =
                    HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
            return new Answer(response.statusCode(), response.headers(), response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(method + " " + url, e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A call of REST with the configured token. */
    public Answer api(String method, String path) {
        return send(method, url() + path, Map.of("Authorization", "Bearer " + API_TOKEN), new byte[0]);
    }

    public Answer get(String path) {
        return api("GET", path);
    }

    /** An agent's call with this host's credential. */
    public Answer agent(String path, String credential, String body) {
        return send(
                "POST",
                url() + path,
                Map.of("Authorization", "Bearer " + credential, "Content-Type", "application/json"),
                body.getBytes(StandardCharsets.UTF_8));
    }

    /** A webhook with the secret token. */
    public Answer webhook(String key, String body) {
        return webhook(
                Map.of("X-Gitlab-Token", WEBHOOK_TOKEN, "Idempotency-Key", key), body.getBytes(StandardCharsets.UTF_8));
    }

    public Answer webhook(Map<String, String> headers, byte[] body) {
        return send("POST", url() + "/webhooks/gitlab/" + INSTANCE, headers, body);
    }

    /** What Mayfly logged at INFO or above and that holds this text. */
    public List<String> logged(String text) {
        return List.copyOf(log.list).stream()
                .map(event -> event.getLevel() + " " + event.getFormattedMessage())
                .filter(line -> line.contains(text))
                .toList();
    }

    /** Waits for something that happens in the background. */
    public static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("waited %s in vain for: %s".formatted(PATIENCE, what));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    public static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
