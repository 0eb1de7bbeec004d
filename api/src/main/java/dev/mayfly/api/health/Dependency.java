package dev.mayfly.api.health;

import java.time.Duration;

/**
 * Something the control plane can't work without.
 *
 * @param name as people call it, such as {@code PostgreSQL}
 * @param cure what to do if it is away
 * @param goodFor how long one good answer stands; spares what is not ours
 * @param probe throws if it is away
 */
public record Dependency(String name, String cure, Duration goodFor, Probe probe) {

    /** Looks whether it is there. */
    @FunctionalInterface
    public interface Probe {
        void run() throws Exception;
    }
}
