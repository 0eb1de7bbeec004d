package dev.mayfly.agent.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.mayfly.agent.claim.ControlPlaneCalls.NotBelieved;
import dev.mayfly.agent.claim.ControlPlaneCalls.NotYet;
import dev.mayfly.agent.claim.ControlPlaneCalls.Refused;
import dev.mayfly.workflows.agentapi.AgentApi.Verdict;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the control plane's answers mean to an agent. */
class ControlPlaneTest {

    private HttpServer server;
    private ControlPlane controlPlane;
    private volatile int status = 200;
    private volatile String body = "{}";
    private final List<String> seen = new CopyOnWriteArrayList<>();

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                seen.add(exchange.getRequestURI() + " "
                        + exchange.getRequestHeaders().getFirst("Authorization") + " "
                        + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
                byte[] answer = body.getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(status, answer.length);
                exchange.getResponseBody().write(answer);
            }
        });
        server.start();
        URI base = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        controlPlane = new ControlPlane(HttpClient.newHttpClient(), base, "credential-1", "h1", List::of);
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void aClaimIsReportedWithTheHostsCredential() {
        body = "{\"verdict\":\"held\",\"executor\":\"SHELL\",\"reason\":\"yours\",\"later\":1}";
        assertThat(controlPlane
                        .reportClaim("k3x9p-1", 4, 42, 7, "job-token-7")
                        .toCompletableFuture()
                        .join()
                        .verdict())
                .isEqualTo(Verdict.HELD);
        assertThat(seen).hasSize(1).first().asString().startsWith("/agent/v1/claims Bearer credential-1 {");
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403})
    void aCredentialThatIsNotBelievedNamesTheCure(int refusal) {
        status = refusal;
        assertThatThrownBy(this::runnerToken)
                .hasCauseInstanceOf(NotBelieved.class)
                .hasMessageContaining("h1")
                .hasMessageContaining(refusal == 401 ? "issue a new one" : "give each host its own")
                .hasMessageNotContaining("credential-1");
    }

    @Test
    void aConflictIsARefusalAndTellsWhy() {
        status = 409;
        body = "{\"detail\":\"slot k3x9p-1 is released\"}";
        assertThatThrownBy(this::runnerToken)
                .hasCauseInstanceOf(Refused.class)
                .hasMessageContaining("slot k3x9p-1 is released");
    }

    @Test
    void tooEarlyIsAskedAgain() {
        status = 425;
        assertThatThrownBy(this::runnerToken).hasCauseInstanceOf(NotYet.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 404, 429, 500, 503})
    void allElseIsAFaultThatMayPass(int fault) {
        status = fault;
        body = "<html>";
        assertThatThrownBy(this::runnerToken)
                .hasCauseInstanceOf(IOException.class)
                .hasMessageContaining("HTTP " + fault);
    }

    private void runnerToken() {
        controlPlane.runnerToken("k3x9p-1", 4, "00ff").toCompletableFuture().join();
    }
}
