package dev.mayfly.agent;

import dev.mayfly.agent.AgentConfig.TemporalConfig;
import dev.mayfly.agent.AgentConfig.TlsConfig;
import dev.mayfly.agent.tls.Trust;
import dev.mayfly.workflows.TaskQueues;
import dev.mayfly.workflows.activity.VmActivities;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.serviceclient.SimpleSslContextBuilder;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Polls this host's two task queues. Waiting calls have a queue and slots of their own, so that they never keep launching
 * and destroying from being heard.
 */
final class HostWorker implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(HostWorker.class);
    private static final Duration RETRY = Duration.ofSeconds(5);
    private static final int LAUNCHES_AT_ONCE = 16;

    private final TemporalConfig config;
    private final String hostId;
    private final VmActivities activities;
    private final int mostSlots;
    private volatile @Nullable WorkflowServiceStubs stubs;
    private volatile @Nullable WorkerFactory factory;

    /**
     * A worker.
     *
     * @param mostSlots how many slots this host may ever have at once
     */
    HostWorker(TemporalConfig config, String hostId, VmActivities activities, int mostSlots) {
        this.config = config;
        this.hostId = hostId;
        this.activities = activities;
        this.mostSlots = mostSlots;
    }

    /** Returns once both queues are polled; waits for Temporal as long as it takes, and says so. */
    void start() throws IOException, InterruptedException {
        while (true) {
            try {
                connect();
                log.info("{} polls {} in namespace {}", hostId, config.target(), config.namespace());
                return;
            } catch (RuntimeException e) {
                log.warn(
                        "Temporal at {} (namespace {}) does not answer, tried again every {} s: {}",
                        config.target(),
                        config.namespace(),
                        RETRY.toSeconds(),
                        e.toString());
                close();
                Thread.sleep(RETRY.toMillis());
            }
        }
    }

    private void connect() throws IOException {
        WorkflowServiceStubs connected = WorkflowServiceStubs.newServiceStubs(stubOptions());
        stubs = connected;
        WorkflowClient client = WorkflowClient.newInstance(
                connected,
                WorkflowClientOptions.newBuilder()
                        .setNamespace(config.namespace())
                        .setIdentity(hostId)
                        // Negative switches it off: hosts report themselves by their lease.
                        .setWorkerHeartbeatInterval(Duration.ofSeconds(-1))
                        .build());
        WorkerFactory created = WorkerFactory.newInstance(client);
        factory = created;
        created.newWorker(TaskQueues.host(hostId), options(LAUNCHES_AT_ONCE))
                .registerActivitiesImplementations(activities);
        created.newWorker(TaskQueues.hostWait(hostId), options(2 * mostSlots + LAUNCHES_AT_ONCE))
                .registerActivitiesImplementations(activities);
        created.start();
    }

    private static WorkerOptions options(int atOnce) {
        return WorkerOptions.newBuilder()
                .setMaxConcurrentActivityExecutionSize(atOnce)
                .setMaxConcurrentActivityTaskPollers(2)
                // A call that waits through a graceful stop must not use up attempts.
                .setAllowActivityHeartbeatDuringShutdown(true)
                .build();
    }

    private WorkflowServiceStubsOptions stubOptions() throws IOException {
        WorkflowServiceStubsOptions.Builder options = WorkflowServiceStubsOptions.newBuilder()
                .setTarget(config.target())
                // By default the channel is made anew every minute.
                .setGrpcReconnectFrequency(Duration.ofMinutes(30));
        TlsConfig tls = config.tls();
        if (tls != null) {
            options.setSslContext(sslContext(tls).build());
        }
        return options.build();
    }

    private static SimpleSslContextBuilder sslContext(TlsConfig tls) throws IOException {
        SimpleSslContextBuilder context = tls.certFile() == null || tls.keyFile() == null
                ? SimpleSslContextBuilder.noKeyOrCertChain()
                : SimpleSslContextBuilder.forPKCS8(bytes(tls.certFile()), bytes(tls.keyFile()));
        Path caFile = tls.caFile();
        if (caFile != null) {
            context.setTrustManager(Trust.in(caFile).factory().getTrustManagers()[0]);
        }
        return context;
    }

    private static InputStream bytes(Path file) throws IOException {
        return new ByteArrayInputStream(Files.readAllBytes(file));
    }

    @Override
    public void close() {
        WorkerFactory running = factory;
        if (running != null) {
            running.shutdownNow();
            running.awaitTermination(5, TimeUnit.SECONDS);
        }
        WorkflowServiceStubs connected = stubs;
        if (connected != null) {
            connected.shutdownNow();
        }
    }
}
