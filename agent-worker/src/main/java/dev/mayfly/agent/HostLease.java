package dev.mayfly.agent;

import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseReply;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.job.Arch;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews this host's lease as long as the agent runs and follows what the control plane says. Without renewals it fences
 * unclaimed VMs; with a newer epoch it destroys all that is older. Survives any absence of the control plane.
 */
final class HostLease implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(HostLease.class);
    private static final Duration FIRST_RETRY = Duration.ofSeconds(1);

    private final Renewal renewal;
    private final HostIdentity identity;
    private final Description host;
    private final Inventory inventory;
    private final HostFence fence;
    private final Consumer<LeaseReply> onReply;
    private final Clock clock;
    private final Thread thread;
    private Instant lastSuccess;
    private boolean reachable = true;
    private volatile boolean closed;

    /** One attempt to renew the lease at the control plane; blocks until it is answered. */
    @FunctionalInterface
    interface Renewal {
        LeaseReply renew(LeaseRequest request) throws IOException, InterruptedException;
    }

    /** What every lease request says of this host. */
    record Description(
            String agentVersion,
            Capacity capacity,
            Arch arch,
            String driver,
            @Nullable String image,
            String bootId,
            List<String> labels) {

        Description {
            labels = List.copyOf(labels);
        }
    }

    /**
     * A lease; {@link #acquire} it, then {@link #keep} it.
     *
     * @param onReply is told of every answer; what it throws is logged
     */
    HostLease(
            Renewal renewal,
            HostIdentity identity,
            Description host,
            Inventory inventory,
            HostFence fence,
            Consumer<LeaseReply> onReply,
            Clock clock) {
        this.renewal = renewal;
        this.identity = identity;
        this.host = host;
        this.inventory = inventory;
        this.fence = fence;
        this.onReply = onReply;
        this.clock = clock;
        this.lastSuccess = clock.instant();
        this.thread = new Thread(this::renewUntilClosed, "lease");
        thread.setDaemon(true);
    }

    /** Returns once the control plane was heard, in this agent's life or in an earlier one's. */
    void acquire() throws InterruptedException {
        while (!renew() && identity.lease().isEmpty()) {
            Thread.sleep(FIRST_RETRY.toMillis());
        }
    }

    /** Goes on renewing in the background. */
    void keep() {
        thread.start();
    }

    private void renewUntilClosed() {
        while (!closed) {
            try {
                Thread.sleep(pause().toMillis());
                renewOrFence();
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** One renewal, and what follows if there has been none for too long. */
    void renewOrFence() throws InterruptedException {
        try {
            renew();
        } catch (RuntimeException e) {
            log.error("a lease renewal failed in an unforeseen way; the next one is due soon", e);
        }
        try {
            fenceIfAlone();
        } catch (RuntimeException e) {
            log.error("unclaimed VMs could not be fenced; their guards do when this agent is gone", e);
        }
    }

    private Duration pause() {
        return identity.lease()
                .map(LeaseReply::renewEvery)
                .map(every -> reachable || every.compareTo(FIRST_RETRY) < 0 ? every : FIRST_RETRY)
                .orElse(FIRST_RETRY);
    }

    private boolean renew() throws InterruptedException {
        try {
            LeaseRequest request = request();
            LeaseReply reply = renewal.renew(request);
            if (reply.epoch() == request.epoch()) { // else what it tells was not looked at
                inventory.told(request.destroyed());
            }
            if (!reachable) {
                log.info("the control plane answers again");
            }
            reachable = true;
            lastSuccess = clock.instant();
            follow(reply);
            return true;
        } catch (IOException e) {
            if (reachable) {
                log.warn(
                        "the lease could not be renewed, tried again until it can: {}",
                        e.getMessage() == null ? e.toString() : e.getMessage());
            }
            reachable = false;
            return false;
        }
    }

    private LeaseRequest request() {
        return new LeaseRequest(
                identity.hostId(),
                host.agentVersion(),
                host.capacity(),
                host.arch(),
                host.driver(),
                identity.epoch(),
                inventory.reports(),
                inventory.destroyed(),
                host.image(),
                host.bootId(),
                clock.instant(),
                host.labels(),
                inventory.figures());
    }

    private void follow(LeaseReply reply) throws IOException {
        if (reply.epoch() > identity.epoch()) {
            log.info("{} is in epoch {} of installation {}", identity.hostId(), reply.epoch(), reply.installation());
        }
        // First learnt, then acted on: a crash in between is made good at the next start or renewal.
        identity.learn(reply);
        if (!fence.destroyOlderThan(reply.epoch())) {
            log.warn("something of an earlier epoch is left on this host");
        }
        try {
            onReply.accept(reply);
        } catch (RuntimeException e) {
            log.error("{} could not follow its lease reply; the next one is due soon", identity.hostId(), e);
        }
    }

    private void fenceIfAlone() {
        identity.lease().ifPresent(lease -> {
            Duration alone = Duration.between(lastSuccess, clock.instant());
            if (alone.compareTo(lease.fenceAfter()) > 0) {
                fence.killUnclaimed();
            }
        });
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}
