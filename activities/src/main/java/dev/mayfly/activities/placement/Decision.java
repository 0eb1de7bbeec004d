package dev.mayfly.activities.placement;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Placement} decided.
 *
 * @param grants in the queue's order
 * @param waiting all others, in the queue's order
 * @param reservations hosts that are kept for heads
 * @param passed for each head that was passed in this decision: how often it has been now, in all
 */
public record Decision(
        List<Grant> grants, List<Waiting> waiting, List<Reservation> reservations, Map<String, Integer> passed) {

    public Decision {
        grants = List.copyOf(grants);
        waiting = List.copyOf(waiting);
        reservations = List.copyOf(reservations);
        passed = Map.copyOf(passed);
    }

    /**
     * A slot for a job.
     *
     * @param room the host as it was before the decision
     * @param inOrder whether no head ahead of it could have used this host
     */
    public record Grant(Request request, Room room, boolean inOrder) {}

    /** @param ahead how many requests before it were not granted either */
    public record Waiting(Request request, Reason reason, int ahead) {}

    /**
     * A host that is kept for a job.
     *
     * @param from when the job is expected to start there: until then others may use it if they end before, or fit beside
     *     it; null if no other job may use it at all
     */
    public record Reservation(
            String job, String hostId, @Nullable Instant from) {}
}
