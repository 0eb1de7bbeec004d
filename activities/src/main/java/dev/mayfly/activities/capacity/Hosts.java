package dev.mayfly.activities.capacity;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.activities.db.Channel;
import dev.mayfly.activities.ledger.Ledger;
import dev.mayfly.activities.outbox.Outbox;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.agentapi.AgentApi.SlotReport;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hosts, their leases and inventories. Only the lease makes a host LOST, and only time in which a control plane counts
 * is silence: after an outage of its own it gives every host its full time again. Called by the agents' calls, by the
 * lease loop and by REST.
 */
public final class Hosts {

    private static final Logger log = LoggerFactory.getLogger(Hosts.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<List<SlotReport>> INVENTORY = new TypeReference<>() {};

    private final Jdbi jdbi;
    private final Clock clock;
    private final Outbox outbox;
    private final LeaseTimes times;

    public Hosts(Jdbi jdbi, Clock clock, Outbox outbox, LeaseTimes times) {
        this.jdbi = jdbi;
        this.clock = clock;
        this.outbox = outbox;
        this.times = times;
    }

    public LeaseTimes times() {
        return times;
    }

    /**
     * Renews the host's lease, registers it at its first call, keeps its inventory and capacity.
     *
     * @return the host's epoch now; newer than the one the agent sent if its slots are void. It is READY again only when
     *     it calls with that one
     */
    public long lease(LeaseRequest request) {
        String inventory = json(request.inventory());
        Instant now = clock.instant();
        Optional<Long> epoch = jdbi.inTransaction(handle -> {
            HostDao hosts = handle.attach(HostDao.class);
            boolean known = hosts.renew(request, inventory, now) > 0;
            if (!known && hosts.register(request, inventory, now) == 0) {
                return Optional.empty();
            }
            Ledger.enter(handle, request, inventory, json(request.destroyed()), now);
            handle.execute("select pg_notify(?, '')", Channel.DISPATCH.pgName());
            if (!known) {
                log.info(
                        "host {} is new: {} on {}",
                        request.hostId(),
                        request.capacity(),
                        request.arch().tag());
            }
            return Optional.of(known ? request.epoch() : 1);
        });
        return epoch.orElseGet(() -> otherEpoch(request));
    }

    /**
     * The agent knows another epoch. An older one: it has been LOST and learns that now. None (0) or a newer one than
     * ours: the host was made anew, or the database was restored from a backup; what either side had is void.
     */
    private long otherEpoch(LeaseRequest request) {
        return PostgresCapacity.locked(jdbi, clock, outbox, holdings -> {
            HostRow host = holdings.hosts().host(request.hostId());
            if (host == null) {
                throw new IllegalStateException("host %s was removed while it called".formatted(request.hostId()));
            }
            if (request.epoch() > 0 && request.epoch() < host.epoch()) {
                return host.epoch();
            }
            boolean nothingToLose = request.epoch() == 0 && host.state() == HostState.LOST;
            if (nothingToLose || request.epoch() == host.epoch()) {
                return host.epoch();
            }
            long next = Math.max(host.epoch(), request.epoch()) + 1;
            log.warn(
                    "host {} calls with epoch {} while {} is known: its slots are void, epoch {} from now on",
                    request.hostId(),
                    request.epoch(),
                    host.epoch(),
                    next);
            holdings.lose(request.hostId(), next);
            return next;
        });
    }

    /**
     * Counts silence; to be called about every second while the control plane is up. Hosts that are silent for too long
     * become LOST, each in one transaction: epoch + 1, unclaimed jobs go back to the queue, signals to all.
     *
     * @return the hosts that became LOST in this call
     */
    public List<String> tick() {
        Instant now = clock.instant();
        // Under the lock: it changes many hosts' rows, and so does a dispatcher, in an order of its own.
        List<String> silent = PostgresCapacity.locked(jdbi, clock, outbox, holdings -> {
            HostDao hosts = holdings.hosts();
            Instant last = hosts.lastTick();
            hosts.setTick(now);
            Duration passed = last == null ? Duration.ZERO : Duration.between(last, now);
            if (passed.isNegative() || passed.compareTo(times.longestTick()) > 0) {
                log.info("no control plane counted for {}: hosts' silence does not count for that time", passed);
                return List.of();
            }
            hosts.addSilence(passed.toMillis());
            int suspect = hosts.suspect(times.suspectAfter().toMillis());
            if (suspect > 0) {
                log.warn("{} hosts have been silent for {} and get no new slots", suspect, times.suspectAfter());
            }
            return hosts.silentFor(times.lostAfter().toMillis());
        });
        List<String> lost = new ArrayList<>();
        for (String host : silent) {
            if (loseIfStillSilent(host)) {
                lost.add(host);
            }
        }
        return lost;
    }

    private boolean loseIfStillSilent(String host) {
        return PostgresCapacity.locked(jdbi, clock, outbox, holdings -> {
            Long epoch =
                    holdings.hosts().epochIfSilentFor(host, times.lostAfter().toMillis());
            if (epoch == null) {
                return false;
            }
            log.warn("host {} is LOST: silent for {}; epoch {} from now on", host, times.lostAfter(), epoch + 1);
            holdings.lose(host, epoch + 1);
            return true;
        });
    }

    public List<HostView> list() {
        return jdbi.withExtension(HostDao.class, HostDao::all).stream()
                .map(Hosts::view)
                .toList();
    }

    /** What the hosts would offer if they were empty; LOST ones too, since they may come back. */
    public List<HostOffer> offers() {
        return jdbi.withExtension(HostDao.class, HostDao::offers);
    }

    public Optional<HostView> find(String hostId) {
        return Optional.ofNullable(jdbi.withExtension(HostDao.class, hosts -> hosts.host(hostId)))
                .map(Hosts::view);
    }

    private static HostView view(HostRow host) {
        return new HostView(
                host.id(),
                host.state(),
                host.epoch(),
                host.arch(),
                host.driver(),
                host.agentVersion(),
                host.capacity(),
                host.used(),
                host.registeredAt(),
                host.renewedAt(),
                inventory(host));
    }

    private static List<SlotReport> inventory(HostRow host) {
        try {
            return JSON.readValue(host.inventory(), INVENTORY);
        } catch (JsonProcessingException broken) {
            throw new IllegalStateException("the inventory of host %s does not parse".formatted(host.id()), broken);
        }
    }

    private static String json(List<?> said) {
        try {
            return JSON.writeValueAsString(said);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("what a host says does not serialize", impossible);
        }
    }
}
