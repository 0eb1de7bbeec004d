package dev.mayfly.api.loop;

import dev.mayfly.activities.db.Wakeups;
import java.time.Duration;

/** Wakes a loop whenever its PostgreSQL channel is notified, so that work that another process left is done at once. */
public final class ChannelListener implements AutoCloseable {

    private static final Duration LONGEST = Duration.ofSeconds(10);

    private final Wakeups wakeups;
    private final Loop loop;

    /** Listens until closed. */
    public ChannelListener(String name, Wakeups wakeups, Loop wakes) {
        this.wakeups = wakeups;
        this.loop = new Loop(name, Duration.ZERO, () -> {
                    if (wakeups.await(LONGEST)) {
                        wakes.wake();
                    }
                    return false;
                })
                .start();
    }

    @Override
    public void close() {
        loop.close();
        wakeups.close();
    }
}
