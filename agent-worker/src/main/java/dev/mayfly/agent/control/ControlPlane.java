package dev.mayfly.agent.control;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.mayfly.agent.claim.ControlPlaneCalls;
import dev.mayfly.workflows.agentapi.AgentApi;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReply;
import dev.mayfly.workflows.agentapi.AgentApi.ClaimReport;
import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenReply;
import dev.mayfly.workflows.agentapi.AgentApi.RunnerTokenRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * The agents' calls of one host. Each is one attempt; whoever calls repeats. The credential goes into a header and nowhere
 * else.
 */
public final class ControlPlane implements ControlPlaneCalls {

    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(20);

    private final HttpClient http;
    private final URI base;
    private final String credential;
    private final String hostId;
    private final Supplier<List<GitLabInstance>> instances;
    private final ObjectMapper json = JsonMapper.builder()
            .addModule(new JavaTimeModule())
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
            .build();

    /**
     * The calls of a host.
     *
     * @param credential a secret
     * @param instances as the last lease reply named them
     */
    public ControlPlane(
            HttpClient http, URI base, String credential, String hostId, Supplier<List<GitLabInstance>> instances) {
        this.http = http;
        this.base = base;
        this.credential = credential;
        this.hostId = hostId;
        this.instances = instances;
    }

    /** Renews the lease; blocks until it is answered. */
    public LeaseReply renew(LeaseRequest request) throws IOException, InterruptedException {
        try {
            return read(http.send(post(AgentApi.LEASE, request), BodyHandlers.ofByteArray()), LeaseReply.class);
        } catch (NotYet | Refused | NotBelieved e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    @Override
    public CompletionStage<RunnerTokenReply> runnerToken(String slotId, long epoch, String nonce) {
        return call(
                AgentApi.RUNNER_TOKEN, new RunnerTokenRequest(hostId, slotId, epoch, nonce), RunnerTokenReply.class);
    }

    @Override
    public CompletionStage<ClaimReply> reportClaim(
            String slotId, long epoch, long projectId, long jobId, String jobToken) {
        return call(
                AgentApi.CLAIMS, new ClaimReport(hostId, slotId, epoch, projectId, jobId, jobToken), ClaimReply.class);
    }

    @Override
    public Optional<GitLabInstance> instance(String name) {
        return instances.get().stream()
                .filter(instance -> instance.name().equals(name))
                .findFirst();
    }

    private <T> CompletableFuture<T> call(String path, Object body, Class<T> answer) {
        HttpRequest request;
        try {
            request = post(path, body);
        } catch (JsonProcessingException e) {
            return CompletableFuture.failedFuture(e);
        }
        return http.sendAsync(request, BodyHandlers.ofByteArray()).thenApply(response -> {
            try {
                return read(response, answer);
            } catch (IOException | NotYet | Refused | NotBelieved e) {
                throw new CompletionException(e);
            }
        });
    }

    private HttpRequest post(String path, Object body) throws JsonProcessingException {
        return HttpRequest.newBuilder(base.resolve(path))
                .timeout(ANSWER_WITHIN)
                .header("Authorization", "Bearer " + credential)
                .header("Content-Type", "application/json")
                .header("Accept", "application/json")
                .POST(BodyPublishers.ofByteArray(json.writeValueAsBytes(body)))
                .build();
    }

    private <T> T read(HttpResponse<byte[]> response, Class<T> type) throws IOException, NotYet, Refused, NotBelieved {
        String call = "%s %s".formatted(hostId, response.request().uri());
        return switch (response.statusCode()) {
            case 200 -> json.readValue(response.body(), type);
            case 401 ->
                throw new NotBelieved(
                        "%s: the control plane does not know this host's credential; issue a new one".formatted(call));
            case 403 ->
                throw new NotBelieved("%s: the credential is another host's; give each host its own".formatted(call));
            case 409 -> throw new Refused("%s: %s".formatted(call, detail(response)));
            case 425 -> throw new NotYet("%s: %s".formatted(call, detail(response)));
            default ->
                throw new IOException("%s: HTTP %d: %s".formatted(call, response.statusCode(), detail(response)));
        };
    }

    private String detail(HttpResponse<byte[]> response) {
        try {
            return json.readTree(response.body()).path("detail").asText("no detail");
        } catch (IOException e) {
            return "an answer that is no JSON";
        }
    }
}
