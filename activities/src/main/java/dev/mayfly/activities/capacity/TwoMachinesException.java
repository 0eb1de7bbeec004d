package dev.mayfly.activities.capacity;

/** Two machines call as one host, such as after a disk was cloned. The message is for the operator of the elder. */
public final class TwoMachinesException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    TwoMachinesException(String hostId) {
        super(("another machine has called as %1$s since, so this one gets no VMs; give one of them a host id and a"
                        + " credential of its own, or run 'mayfly hosts forget %1$s' once the other is off")
                .formatted(hostId));
    }
}
