package dev.mayfly.activities.capacity.exchange;

import dev.mayfly.workflows.job.VmSize;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a host has of a slot, and the slot's runner in GitLab. */
final class SimulatedVm {

    enum State {
        NONE,
        UP,
        DEAD
    }

    enum Poll {
        OFF,
        ON,
        ENDED
    }

    enum Payload {
        KEPT,
        JOURNALLED,
        DELIVERED,
        RUN
    }

    /**
     * A destroy call under way.
     *
     * @param knownClaim the claim that its caller read
     */
    record Destroy(String caller, @Nullable Long knownClaim) {}

    final String slotId;
    final String hostId;
    final long epoch;
    final VmSize size;
    State state = State.NONE;
    Poll poll = Poll.OFF;
    /** The 201 under way to the host. */
    @Nullable
    SimulatedJob answer;
    /** The 201 that the host has stored. */
    @Nullable
    SimulatedJob claim;

    boolean reported;
    Payload payload = Payload.KEPT;
    /** Whose payload this very VM got. */
    @Nullable
    SimulatedJob ran;

    boolean tombstone;

    @Nullable
    Destroy destroy;
    /** Its runner's tags in GitLab, null if there is none. */
    @Nullable
    List<String> runnerTags;

    SimulatedVm(String slotId, String hostId, long epoch, VmSize size) {
        this.slotId = slotId;
        this.hostId = hostId;
        this.epoch = epoch;
        this.size = size;
    }

    /** Nothing of it stays on the host. */
    void erase() {
        state = State.NONE;
        answer = null;
        claim = null;
        reported = false;
        payload = Payload.KEPT;
        ran = null;
        destroy = null;
    }

    @Override
    public String toString() {
        return "%s on %s: %s, poll %s, claim %s%s, payload %s, runner %s%s%s"
                .formatted(
                        slotId,
                        hostId,
                        state,
                        poll,
                        claim == null ? "none" : claim.number(),
                        reported ? " reported" : "",
                        payload,
                        runnerTags,
                        tombstone ? ", tombstone" : "",
                        destroy == null ? "" : ", " + destroy);
    }
}
