package dev.mayfly.activities.capacity;

import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/** What the sweeper and REST read about slots and runners. Reads only; changes are {@link PostgresCapacity}'s. */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
public final class Slots {

    public Slots(Jdbi jdbi) {
        throw new UnsupportedOperationException("soon: " + jdbi);
    }

    /** All slots that are not released, oldest first. */
    public List<SlotView> live() {
        throw new UnsupportedOperationException("soon");
    }

    /** The slot, if it is not released. */
    public Optional<SlotView> find(String slotId) {
        throw new UnsupportedOperationException("soon: " + slotId);
    }

    /** Runners not confirmed as removed. */
    public List<RunnerView> runners() {
        throw new UnsupportedOperationException("soon");
    }

    /** Claimed slots whose host was LOST and whose job still holds them: {@code failLostJob} is due. */
    public List<SlotView> lostClaims() {
        throw new UnsupportedOperationException("soon");
    }
}
