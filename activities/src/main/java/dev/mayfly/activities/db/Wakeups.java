package dev.mayfly.activities.db;

import java.time.Duration;

/**
 * Waits for a {@link Channel} on a connection of its own. One per background loop, used by one thread. While PostgreSQL
 * is away it only waits for the time given, so a loop never spins and never stops.
 */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
public final class Wakeups implements AutoCloseable {

    public Wakeups(DatabaseConfig config, Channel channel) {
        throw new UnsupportedOperationException("soon: " + config + channel);
    }

    /** Returns when the channel was notified since the last call, or after {@code longest}; true if it was notified. */
    public boolean await(Duration longest) throws InterruptedException {
        throw new UnsupportedOperationException("soon: " + longest);
    }

    @Override
    public void close() {}
}
