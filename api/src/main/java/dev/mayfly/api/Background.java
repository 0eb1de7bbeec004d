package dev.mayfly.api;

import dev.mayfly.activities.db.Channel;
import dev.mayfly.activities.db.DatabaseConfig;
import dev.mayfly.activities.db.Wakeups;
import dev.mayfly.api.loop.ChannelListener;
import dev.mayfly.api.loop.Loop;
import dev.mayfly.api.temporal.ControlWorker;
import dev.mayfly.api.temporal.SearchAttributeRegistration;
import dev.mayfly.api.temporal.TemporalConnection;
import io.dropwizard.lifecycle.Managed;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts and stops everything that runs by itself: the background loops and the Temporal worker. What needs Temporal
 * starts once Temporal answers, the rest at once. Whatever a crash cuts off is found again in PostgreSQL.
 */
final class Background implements Managed {

    private static final Logger LOG = LoggerFactory.getLogger(Background.class);
    private static final Duration LOOK_FOR_TEMPORAL = Duration.ofMillis(500);

    private final DatabaseConfig database;
    private final TemporalConnection temporal;
    private final ControlWorker worker;
    private final List<Loop> atOnce;
    private final List<Loop> withTemporal;
    private final Map<Channel, Loop> channels;
    private final Deque<AutoCloseable> running = new ArrayDeque<>();
    private boolean temporalIsThere;

    /**
     * Nothing runs yet.
     *
     * @param atOnce loops that don't need Temporal
     * @param withTemporal loops that do
     * @param channels which loop each channel of PostgreSQL wakes
     */
    Background(
            DatabaseConfig database,
            TemporalConnection temporal,
            ControlWorker worker,
            List<Loop> atOnce,
            List<Loop> withTemporal,
            Map<Channel, Loop> channels) {
        this.database = database;
        this.temporal = temporal;
        this.worker = worker;
        this.atOnce = List.copyOf(atOnce);
        this.withTemporal = List.copyOf(withTemporal);
        this.channels = Map.copyOf(channels);
    }

    @Override
    public void start() {
        atOnce.forEach(this::begin);
        channels.forEach((channel, loop) ->
                keep(new ChannelListener("listen-" + channel.pgName(), new Wakeups(database, channel), loop)));
        begin(new Loop("temporal-start", LOOK_FOR_TEMPORAL, this::startWithTemporal));
    }

    @Override
    public void stop() throws Exception {
        while (true) {
            AutoCloseable next;
            synchronized (running) {
                next = running.pollLast();
            }
            if (next == null) {
                return;
            }
            next.close();
        }
    }

    /** One look; readiness says what is wrong meanwhile. */
    private boolean startWithTemporal() {
        if (temporalIsThere) {
            return false;
        }
        try {
            temporal.namespaceId();
        } catch (StatusRuntimeException e) {
            LOG.debug("Temporal is not there yet: {}", e.getStatus());
            return false;
        }
        new SearchAttributeRegistration(temporal).ensure();
        worker.start();
        keep(worker);
        withTemporal.forEach(this::begin);
        temporalIsThere = true;
        LOG.info("working: namespace {} of Temporal", temporal.namespace());
        return false;
    }

    private void begin(Loop loop) {
        keep(loop.start());
    }

    private void keep(AutoCloseable part) {
        synchronized (running) {
            running.add(part);
        }
    }
}
