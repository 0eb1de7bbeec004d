package dev.mayfly.activities.inbox;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.function.Consumer;
import org.jdbi.v3.core.Jdbi;

/**
 * Webhook deliveries: stored by {@link #put} before they are answered, handled later by any control plane. A delivery
 * is handled at least once: a crash while handling it hands it out again.
 */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
public final class Inbox {

    public Inbox(Jdbi jdbi, Clock clock) {
        throw new UnsupportedOperationException("soon: " + jdbi + clock);
    }

    /**
     * A stored delivery.
     *
     * @param headers the few that are needed later, lower case
     * @param attempts how often it was tried before
     */
    @SuppressWarnings("ArrayRecordComponent") // the raw bytes, never compared
    public record Delivery(
            long id,
            String instance,
            String deliveryKey,
            byte[] body,
            Map<String, String> headers,
            int attempts,
            Instant receivedAt) {}

    /** Stores a delivery and wakes {@code Channel.INBOX}; false if its key is known for this instance. */
    public boolean put(String instance, String deliveryKey, byte[] body, Map<String, String> headers) {
        throw new UnsupportedOperationException("soon: " + instance + deliveryKey + body.length + headers);
    }

    /**
     * Hands the oldest due deliveries to {@code handler}, one transaction each, skipping those that another process has
     * in hand. What it throws is kept with the delivery, which is tried again with back-off.
     *
     * @return how many were handled or failed
     */
    public int drain(int most, Consumer<Delivery> handler) {
        throw new UnsupportedOperationException("soon: " + most + handler);
    }

    /** Deliveries not handled yet. */
    public long depth() {
        throw new UnsupportedOperationException("soon");
    }

    /** Forgets what was handled longer ago than this. */
    public int purge(Duration handledBefore) {
        throw new UnsupportedOperationException("soon: " + handledBefore);
    }
}
