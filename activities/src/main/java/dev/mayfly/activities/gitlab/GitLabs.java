package dev.mayfly.activities.gitlab;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.gitlab4j.api.GitLabApi;
import org.gitlab4j.api.GitLabApiException;
import org.glassfish.jersey.apache.connector.ApacheClientProperties;
import org.glassfish.jersey.client.ClientProperties;
import org.jspecify.annotations.Nullable;

/** Clients of the configured GitLab instances, with time-outs and private CAs. */
public final class GitLabs implements AutoCloseable {

    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration READ = Duration.ofSeconds(20);
    private static final int CONNECTIONS = 32;

    private final Map<String, Client> clients = new LinkedHashMap<>();
    private final Duration connectTimeout;
    private final Duration readTimeout;

    /** @throws IllegalArgumentException if an instance's CA certificates are no PEM */
    public GitLabs(List<GitLabInstanceConfig> instances) {
        this(instances, CONNECT, READ);
    }

    GitLabs(List<GitLabInstanceConfig> instances, Duration connectTimeout, Duration readTimeout) {
        this.connectTimeout = connectTimeout;
        this.readTimeout = readTimeout;
        for (GitLabInstanceConfig instance : instances) {
            Client client = Client.of(instance);
            client.api().setRequestTimeout((int) connectTimeout.toMillis(), (int) readTimeout.toMillis());
            clients.put(instance.name(), client);
        }
    }

    /** How long any client of GitLab waits for a connection. */
    Duration connectTimeout() {
        return connectTimeout;
    }

    /** How long any client of GitLab waits for an answer. */
    Duration readTimeout() {
        return readTimeout;
    }

    public List<GitLabInstanceConfig> instances() {
        return clients.values().stream().map(Client::config).toList();
    }

    /** @throws IllegalArgumentException if no instance of that name is configured */
    public GitLabInstanceConfig instance(String name) {
        return client(name).config();
    }

    /** Asks the instance for its version with the configured token; for readiness and start. Throws what a call throws. */
    public String version(String name) {
        try {
            return api(name).getVersion().getVersion();
        } catch (GitLabApiException e) {
            throw GitLabErrors.failure("asking GitLab %s for its version".formatted(name), e);
        }
    }

    /** The client of an instance. */
    public GitLabApi api(String name) {
        return client(name).api();
    }

    /** Removes a runner; one that is gone already is fine. */
    void removeRunner(String instance, long runnerId) throws GitLabApiException {
        try {
            api(instance).getRunnersApi().removeRunner(runnerId);
        } catch (GitLabApiException e) {
            if (e.getHttpStatus() != GitLabErrors.NOT_FOUND) {
                throw e;
            }
        }
    }

    /** Whose certificates this instance's must be signed by. */
    SSLContext tls(String name) {
        return client(name).tls();
    }

    private Client client(String name) {
        Client client = clients.get(name);
        if (client == null) {
            throw new IllegalArgumentException("no GitLab instance %s is configured, only %s; add it under gitlab"
                    .formatted(name, clients.keySet()));
        }
        return client;
    }

    @Override
    public void close() {
        clients.values().forEach(client -> client.api().close());
    }

    private record Client(GitLabInstanceConfig config, GitLabApi api, SSLContext tls) {

        static Client of(GitLabInstanceConfig config) {
            SSLContext tls = trusting(config);
            PoolingHttpClientConnectionManager connections =
                    new PoolingHttpClientConnectionManager(RegistryBuilder.<ConnectionSocketFactory>create()
                            .register("http", PlainConnectionSocketFactory.getSocketFactory())
                            .register("https", new SSLConnectionSocketFactory(tls))
                            .build());
            connections.setMaxTotal(CONNECTIONS);
            connections.setDefaultMaxPerRoute(CONNECTIONS);
            Map<String, Object> properties = new HashMap<>();
            properties.put(ApacheClientProperties.CONNECTION_MANAGER, connections);
            properties.put(ApacheClientProperties.CONNECTION_MANAGER_SHARED, true);
            // gitlab4j takes the connector that knows connection managers only if this key is there, whatever its
            // value.
            properties.put(ClientProperties.PROXY_URI, null);
            // A token speaks for each request by itself; a session that GitLab offers is not taken up.
            properties.put(ApacheClientProperties.DISABLE_COOKIES, true);
            GitLabApi api = new GitLabApi(config.url(), config.token(), null, properties);
            SharedHttpRuntime.install(api);
            return new Client(config, api, tls);
        }

        private static SSLContext trusting(GitLabInstanceConfig config) {
            try {
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(null, trustManagers(config.caPem()), null);
                return context;
            } catch (GeneralSecurityException | IOException e) {
                throw new IllegalArgumentException(
                        "the CA certificates of GitLab %s are no PEM certificates: %s"
                                .formatted(config.name(), e.getMessage()),
                        e);
            }
        }

        private static TrustManager @Nullable [] trustManagers(@Nullable String caPem)
                throws GeneralSecurityException, IOException {
            if (caPem == null) {
                return null;
            }
            List<Certificate> certificates = new ArrayList<>(CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(caPem.getBytes(StandardCharsets.UTF_8))));
            if (certificates.isEmpty()) {
                throw new IOException("there is none in it");
            }
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (int i = 0; i < certificates.size(); i++) {
                store.setCertificateEntry("ca-" + i, certificates.get(i));
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            return factory.getTrustManagers();
        }
    }
}
