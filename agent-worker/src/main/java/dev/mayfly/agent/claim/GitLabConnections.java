package dev.mayfly.agent.claim;

import dev.mayfly.agent.relay.Upstream;
import dev.mayfly.agent.tls.Trust;
import dev.mayfly.workflows.agentapi.AgentApi.GitLabInstance;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.security.GeneralSecurityException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One {@link GitLabConnection} per GitLab instance as configured; a changed address or CA gives a new one. */
final class GitLabConnections {

    private static final Logger LOG = LoggerFactory.getLogger(GitLabConnections.class);

    private final Map<GitLabInstance, GitLabConnection> known = new ConcurrentHashMap<>();
    private final ClaimSettings settings;
    private final ControlPlaneCalls controlPlane;
    private final Executor executor;

    GitLabConnections(ClaimSettings settings, ControlPlaneCalls controlPlane, Executor executor) {
        this.settings = settings;
        this.controlPlane = controlPlane;
        this.executor = executor;
    }

    /** As the control plane describes it now, else as it described it to this slot before. */
    CompletableFuture<GitLabConnection> of(String name, ClaimStore store) {
        try {
            Optional<GitLabInstance> stored = store.instance();
            Optional<GitLabInstance> instance = controlPlane.instance(name).or(() -> stored);
            if (instance.isEmpty()) {
                throw new IOException("the control plane has not named the address of GitLab instance '" + name
                        + "' yet; is it configured there?");
            }
            if (!instance.equals(stored)) {
                keep(instance.get(), store);
            }
            GitLabConnection connection = known.get(instance.get());
            if (connection == null) {
                connection = connect(instance.get());
                known.put(instance.get(), connection);
            }
            return CompletableFuture.completedFuture(connection);
        } catch (IOException | GeneralSecurityException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** For a restart only; a slot whose folder is gone already may still have a job to fail. */
    private static void keep(GitLabInstance instance, ClaimStore store) {
        try {
            store.keep(instance);
        } catch (IOException e) {
            LOG.debug("the address of GitLab instance '{}' can't be stored: {}", instance.name(), e.toString());
        }
    }

    private GitLabConnection connect(GitLabInstance instance) throws IOException, GeneralSecurityException {
        URI base = URI.create(instance.url().replaceFirst("/+$", ""));
        Trust trust = Trust.inPublicOnesAnd(instance.caPem());
        HttpClient http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(settings.connectTimeout())
                .sslContext(trust.context())
                .executor(executor)
                .build();
        return new GitLabConnection(
                new GitLabRunnerApi(http, base, settings.readTimeout()),
                Upstream.of(base, trust.factory(), settings.connectTimeout()));
    }
}
