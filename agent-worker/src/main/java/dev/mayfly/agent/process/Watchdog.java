package dev.mayfly.agent.process;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Gives a limit to what has none of its own. */
public final class Watchdog {

    private Watchdog() {}

    /** Something that may wait for ever. */
    @FunctionalInterface
    public interface Wait<T> {
        T run() throws IOException;
    }

    /**
     * Runs it.
     *
     * @param end makes it fail; called if it is not over by then
     */
    public static <T> T within(Duration limit, Runnable end, Wait<T> wait) throws IOException {
        CompletableFuture<Void> bite = CompletableFuture.runAsync(
                end, CompletableFuture.delayedExecutor(limit.toMillis(), TimeUnit.MILLISECONDS));
        try {
            return wait.run();
        } finally {
            bite.cancel(false);
        }
    }
}
