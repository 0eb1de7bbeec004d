package dev.mayfly.activities.capacity;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.activities.db.Channel;
import dev.mayfly.activities.ledger.Ledger;
import dev.mayfly.activities.outbox.Outbox;
import dev.mayfly.workflows.agentapi.AgentApi.HostFigures;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.agentapi.AgentApi.SlotReport;
import java.lang.module.ModuleDescriptor.Version;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;
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
    /** As the agent tolerates at its start. */
    public static final Duration MOST_SKEW = Duration.ofSeconds(60);

    private static final TypeReference<List<SlotReport>> INVENTORY = new TypeReference<>() {};
    private static final TypeReference<HostFigures> FIGURES = new TypeReference<>() {};

    private final Jdbi jdbi;
    private final Clock clock;
    private final Outbox outbox;
    private final LeaseTimes times;
    private final @Nullable Version minimumVersion;

    /** @param minimumVersion agents older than this get no new VMs; null for none */
    public Hosts(Jdbi jdbi, Clock clock, Outbox outbox, LeaseTimes times, @Nullable Version minimumVersion) {
        this.jdbi = jdbi;
        this.clock = clock;
        this.outbox = outbox;
        this.times = times;
        this.minimumVersion = minimumVersion;
    }

    /**
     * What a host is told.
     *
     * @param epoch the host's epoch now; newer than the one the agent sent if its slots are void. It is READY again only
     *     when it calls with that one
     * @param reboot it was ordered to reboot once it is empty, and is
     */
    public record Lease(long epoch, boolean reboot) {}

    public LeaseTimes times() {
        return times;
    }

    /**
     * Renews the host's lease, registers it at its first call, keeps its inventory and capacity.
     *
     * @throws TwoMachinesException if the call is of an earlier boot of the host than one that called since
     */
    public Lease lease(LeaseRequest request) {
        String inventory = json(request.inventory());
        String figures = request.figures() == null ? null : json(request.figures());
        Instant now = clock.instant();
        long ahead = request.sentAt() == null
                ? 0
                : Duration.between(now, request.sentAt()).toMillis();
        boolean outdated = isOutdated(request.agentVersion());
        Optional<Lease> lease = jdbi.inTransaction(handle -> {
            HostDao hosts = handle.attach(HostDao.class);
            Boolean reboot = hosts.renew(request, inventory, figures, ahead, outdated, now);
            boolean known = reboot != null;
            if (!known && hosts.register(request, inventory, figures, ahead, outdated, now) == 0) {
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
            return Optional.of(reboot != null ? new Lease(request.epoch(), reboot) : new Lease(1, false));
        });
        return lease.orElseGet(() -> new Lease(otherEpoch(request), false));
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
            if (request.bootId() != null && request.bootId().equals(host.previousBootId())) {
                throw new TwoMachinesException(request.hostId());
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
                .map(this::view)
                .toList();
    }

    /** What the hosts would offer if they were empty; LOST ones too, since they may come back. */
    public List<HostOffer> offers() {
        return jdbi.withExtension(HostDao.class, HostDao::offers);
    }

    /** What their agents measure, by host; none of those that are LOST or tell nothing. */
    public Map<String, HostFigures> figures() {
        Map<String, HostFigures> figures = new TreeMap<>();
        jdbi.withExtension(HostDao.class, HostDao::figures)
                .forEach((host, json) -> figures.put(host, read(host, json, FIGURES)));
        return figures;
    }

    public Optional<HostView> find(String hostId) {
        return Optional.ofNullable(jdbi.withExtension(HostDao.class, hosts -> hosts.host(hostId)))
                .filter(host -> host.forgottenAt() == null)
                .map(this::view);
    }

    private boolean isOutdated(String agentVersion) {
        try {
            return minimumVersion != null && Version.parse(agentVersion).compareTo(minimumVersion) < 0;
        } catch (IllegalArgumentException notReleased) {
            return false; // built by hand
        }
    }

    private HostView view(HostRow host) {
        boolean draining = host.state() == HostState.READY && !host.accepting();
        return new HostView(
                host.id(),
                draining ? HostState.DRAINING : host.state(),
                host.epoch(),
                host.arch(),
                host.driver(),
                host.agentVersion(),
                host.capacity(),
                host.used(),
                host.registeredAt(),
                host.renewedAt(),
                read(host.id(), host.inventory(), INVENTORY),
                host.drainingSince(),
                host.rebootOf() != null,
                host.labels().stream().distinct().sorted().toList(),
                problems(host));
    }

    private List<String> problems(HostRow host) {
        List<String> problems = new ArrayList<>();
        if (host.outdated()) {
            problems.add("its agent %s is older than agents.minimumVersion %s, so it gets no new VMs; upgrade it"
                    .formatted(host.agentVersion(), minimumVersion));
        }
        if (Math.abs(host.clockAheadMillis()) > MOST_SKEW.toMillis()) {
            problems.add("its clock is %d s %s the control plane's; have both set by NTP"
                    .formatted(
                            Math.abs(host.clockAheadMillis()) / 1000,
                            host.clockAheadMillis() > 0 ? "ahead of" : "behind"));
        }
        if (host.avoidedUntil() != null && host.avoidedUntil().isAfter(clock.instant())) {
            problems.add("it could not run a VM, so others are preferred until %s: %s"
                    .formatted(host.avoidedUntil().truncatedTo(ChronoUnit.SECONDS), host.avoidedBecause()));
        }
        return problems;
    }

    private static <T> T read(String host, String json, TypeReference<T> type) {
        try {
            return JSON.readValue(json, type);
        } catch (JsonProcessingException broken) {
            throw new IllegalStateException("what host %s said does not parse".formatted(host), broken);
        }
    }

    private static String json(Object said) {
        try {
            return JSON.writeValueAsString(said);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("what a host says does not serialize", impossible);
        }
    }
}
