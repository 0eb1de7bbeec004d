package dev.mayfly.activities.capacity;

import dev.mayfly.workflows.agentapi.AgentApi.Capacity;
import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/** Hosts, their leases and inventories. Only the lease makes a host LOST. */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
public final class Hosts {

    public Hosts(Jdbi jdbi, Clock clock, LeaseTimes times) {
        throw new UnsupportedOperationException("soon: " + jdbi + clock + times);
    }

    /**
     * Renews the host's lease, registers it at its first call, keeps its inventory and capacity.
     *
     * @return the host's epoch now; newer than the one the agent sent if its slots are void. It is READY again only when
     *     it calls with that one
     */
    public long lease(LeaseRequest request) {
        throw new UnsupportedOperationException("soon: " + request);
    }

    /**
     * Counts silence; to be called about every second while the control plane is up. Hosts that are silent for too long
     * become LOST, all in one transaction each: epoch + 1, unclaimed jobs go back to the queue, signals to all.
     *
     * @return the hosts that became LOST in this call
     */
    public List<String> tick() {
        throw new UnsupportedOperationException("soon");
    }

    public List<HostView> list() {
        throw new UnsupportedOperationException("soon");
    }

    public Optional<HostView> find(String hostId) {
        throw new UnsupportedOperationException("soon: " + hostId);
    }

    /** The largest that any host offers in all that is not LOST, per resource of one host; empty without hosts. */
    public Optional<Capacity> largest() {
        throw new UnsupportedOperationException("soon");
    }
}
