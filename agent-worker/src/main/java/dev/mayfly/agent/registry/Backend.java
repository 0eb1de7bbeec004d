package dev.mayfly.agent.registry;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The registry process that answers now. Another may take its place at any time; the one before ends when it has given its
 * last answer, so no pull that is under way fails.
 */
final class Backend {

    private @Nullable Serving serving;

    /** A process while it gives answers. */
    static final class Serving {

        private final Path socket;
        private final Runnable end;
        private final CompletableFuture<Void> idle = new CompletableFuture<>();
        private int answers;
        private boolean replaced;

        private Serving(Path socket, Runnable end) {
            this.socket = socket;
            this.end = end;
        }

        Path socket() {
            return socket;
        }

        /** To be called once for each {@link Backend#answer()}, when that answer is over. */
        void done() {
            boolean last;
            synchronized (this) {
                answers--;
                last = replaced && answers == 0;
            }
            if (last) {
                idle.complete(null);
            }
        }

        private synchronized Serving begin() {
            answers++;
            return this;
        }

        private void replace() {
            boolean last;
            synchronized (this) {
                replaced = true;
                last = answers == 0;
            }
            if (last) {
                idle.complete(null);
            }
        }
    }

    /** Who gives the next answer; null if nobody does yet. */
    synchronized @Nullable Serving answer() {
        return serving == null ? null : serving.begin();
    }

    /**
     * Lets this process give all answers from now on.
     *
     * @param socket the UNIX socket that it listens on
     * @param end ends it
     * @return ended when the process before has given its last one and was ended
     */
    CompletableFuture<Void> serve(Path socket, Runnable end) {
        Serving before;
        synchronized (this) {
            before = serving;
            serving = new Serving(socket, end);
        }
        if (before == null) {
            return CompletableFuture.completedFuture(null);
        }
        before.replace();
        // Not on the thread that ended the answer: ending a process takes its time.
        return before.idle.thenRunAsync(before.end);
    }

    /** Ends the process; there are no answers any more. */
    void close() {
        Serving last;
        synchronized (this) {
            last = serving;
            serving = null;
        }
        if (last != null) {
            last.end.run();
        }
    }
}
