package dev.mayfly.activities.capacity;

import dev.mayfly.activities.db.Channel;
import dev.mayfly.activities.outbox.Outbox;
import dev.mayfly.workflows.job.HostLabels;
import java.time.Clock;
import org.jdbi.v3.core.Jdbi;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What operators order hosts to do. Every call may be repeated. */
public final class HostOrders {

    private static final Logger log = LoggerFactory.getLogger(HostOrders.class);

    private final Jdbi jdbi;
    private final Clock clock;
    private final Outbox outbox;

    public HostOrders(Jdbi jdbi, Clock clock, Outbox outbox) {
        this.jdbi = jdbi;
        this.clock = clock;
        this.outbox = outbox;
    }

    /** From now on it gets no new VMs; those that it has run on. False if there is no such host. */
    public boolean drain(String hostId) {
        boolean known = jdbi.withExtension(HostDao.class, hosts -> hosts.drain(hostId, clock.instant()));
        if (known) {
            log.info("host {} is drained: it gets no new VMs", hostId);
        }
        return known;
    }

    /** It gets VMs again, and a reboot that it has not begun is called off. False if there is no such host. */
    public boolean undrain(String hostId) {
        return jdbi.inTransaction(handle -> {
            boolean known = handle.attach(HostDao.class).undrain(hostId);
            if (known) {
                handle.execute("select pg_notify(?, '')", Channel.DISPATCH.pgName());
                log.info("host {} is no longer drained", hostId);
            }
            return known;
        });
    }

    /**
     * Drains it and has it reboot once nothing is left on it; it gets VMs again after that. False if there is no such
     * host.
     *
     * @throws IllegalStateException if its agent does not tell boots apart
     */
    public boolean rebootWhenEmpty(String hostId) {
        return jdbi.inTransaction(handle -> {
            HostDao hosts = handle.attach(HostDao.class);
            if (!hosts.drain(hostId, clock.instant())) {
                return false;
            }
            HostRow host = hosts.host(hostId);
            if (host == null || host.bootId() == null) {
                throw new IllegalStateException(
                        "host %s does not tell its boots apart; upgrade its agent, or drain it and reboot it by hand"
                                .formatted(hostId));
            }
            hosts.rebootWhenEmpty(hostId);
            log.info("host {} reboots once it is empty", hostId);
            return true;
        });
    }

    /**
     * Jobs whose tags ask for this label may run there from now on. False if there is no such host.
     *
     * @throws IllegalArgumentException if it can't be a label
     */
    public boolean label(String hostId, String label) {
        if (!HostLabels.isLabel(label)) {
            throw new IllegalArgumentException(HostLabels.refusal(label));
        }
        return jdbi.inTransaction(handle -> {
            boolean known = handle.attach(HostDao.class).label(hostId, label);
            if (known) {
                handle.execute("select pg_notify(?, '')", Channel.DISPATCH.pgName());
                log.info("host {} has the label {}", hostId, label);
            }
            return known;
        });
    }

    /**
     * Jobs that ask for this label are not placed there any more; those that are there run on. False if there is no such
     * host.
     *
     * @throws IllegalStateException if it is the host's own agent.yml that says it
     */
    public boolean unlabel(String hostId, String label) {
        return jdbi.inTransaction(handle -> {
            HostDao hosts = handle.attach(HostDao.class);
            HostRow host = hosts.host(hostId);
            if (host != null && host.ownLabels().contains(label)) {
                throw new IllegalStateException(
                        "the label %s stands in agent.yml of host %s; remove it there, and restart the agent"
                                .formatted(label, hostId));
            }
            boolean known = hosts.unlabel(hostId, label);
            if (known) {
                log.info("host {} has no longer the label {}", hostId, label);
            }
            return known;
        });
    }

    /**
     * Removes it from all lists; if its agent calls again it is as new. False if there is no such host.
     *
     * @throws IllegalStateException if it may still run something; the message says what
     */
    public boolean forget(String hostId) {
        return PostgresCapacity.locked(jdbi, clock, outbox, holdings -> {
            HostRow host = holdings.hosts().host(hostId);
            if (host == null || host.forgottenAt() != null) {
                return false;
            }
            if (host.state() != HostState.LOST) {
                throw new IllegalStateException(
                        "host %s may still run VMs; stop its agent and wait until it is LOST".formatted(hostId));
            }
            int slots = holdings.slotsOn(hostId);
            if (slots > 0) {
                throw new IllegalStateException(
                        "host %s has slots that are being cleaned up (%d); try again in a minute"
                                .formatted(hostId, slots));
            }
            holdings.hosts().forget(hostId, clock.instant());
            log.info("host {} is forgotten", hostId);
            return true;
        });
    }
}
