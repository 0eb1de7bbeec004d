package dev.mayfly.api.temporal;

import com.uber.m3.tally.Scope;
import com.uber.m3.tally.ScopeCloseException;
import dev.mayfly.api.config.ConfigurationProblem;
import dev.mayfly.api.config.TemporalConfig;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.temporal.api.workflowservice.v1.DescribeNamespaceRequest;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.serviceclient.OperatorServiceStubs;
import io.temporal.serviceclient.OperatorServiceStubsOptions;
import io.temporal.serviceclient.ServiceStubsOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.io.File;
import java.time.Clock;
import java.time.Duration;
import javax.net.ssl.SSLException;

/** The one connection to Temporal. Made without waiting for the server; {@link #namespaceId()} tells whether it answers. */
public final class TemporalConnection implements AutoCloseable {

    private static final Duration PROBE_WITHIN = Duration.ofSeconds(5);

    private final TemporalConfig config;
    private final TaskLag lag;
    private final Scope scope;
    private final WorkflowServiceStubs stubs;
    private final OperatorServiceStubs operator;
    private final WorkflowClient client;

    /** Connects in the background. */
    public TemporalConnection(TemporalConfig config, Clock clock) {
        this.config = config;
        this.lag = new TaskLag(clock);
        this.scope = lag.scope();
        WorkflowServiceStubsOptions.Builder options = WorkflowServiceStubsOptions.newBuilder();
        configure(options);
        options.setMetricsScope(scope);
        this.stubs = WorkflowServiceStubs.newServiceStubs(options.validateAndBuildWithDefaults());
        this.operator = OperatorServiceStubs.newServiceStubs(OperatorServiceStubsOptions.newBuilder()
                .setChannel(stubs.getRawChannel())
                .validateAndBuildWithDefaults());
        this.client = WorkflowClient.newInstance(
                stubs,
                WorkflowClientOptions.newBuilder()
                        .setNamespace(config.namespace())
                        .build());
    }

    public WorkflowClient client() {
        return client;
    }

    /** Of the tasks that came over this connection. */
    public TaskLag lag() {
        return lag;
    }

    public OperatorServiceStubs operator() {
        return operator;
    }

    public String namespace() {
        return config.namespace();
    }

    /**
     * The namespace's own id: it changes when Temporal was emptied.
     *
     * @throws io.grpc.StatusRuntimeException if Temporal doesn't answer or doesn't know the namespace
     */
    public String namespaceId() {
        return stubs.blockingStub()
                .withDeadlineAfter(PROBE_WITHIN)
                .describeNamespace(DescribeNamespaceRequest.newBuilder()
                        .setNamespace(config.namespace())
                        .build())
                .getNamespaceInfo()
                .getId();
    }

    @Override
    public void close() {
        operator.shutdownNow();
        stubs.shutdownNow();
        try {
            scope.close();
        } catch (ScopeCloseException e) {
            throw new IllegalStateException("the metrics of the connection to Temporal do not end", e);
        }
    }

    private void configure(ServiceStubsOptions.Builder<?> options) {
        options.setTarget(config.target());
        TemporalConfig.Tls tls = config.tls();
        if (tls == null) {
            return;
        }
        options.setSslContext(sslContext(tls));
        if (tls.serverName() != null) {
            String name = tls.serverName();
            options.setChannelInitializer(channel -> channel.overrideAuthority(name));
        }
    }

    private static SslContext sslContext(TemporalConfig.Tls tls) {
        try {
            SslContextBuilder context = GrpcSslContexts.forClient();
            if (tls.caFile() != null) {
                context.trustManager(new File(tls.caFile()));
            }
            if (tls.certFile() != null && tls.keyFile() != null) {
                context.keyManager(new File(tls.certFile()), new File(tls.keyFile()));
            }
            return context.build();
        } catch (SSLException | IllegalArgumentException e) {
            throw new ConfigurationProblem(
                    "temporal.tls: the certificates can't be used; check caFile, certFile and keyFile (PEM, PKCS #8)",
                    e);
        }
    }
}
