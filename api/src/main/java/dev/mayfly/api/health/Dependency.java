package dev.mayfly.api.health;

import java.time.Duration;

/**
 * Something that the control plane's work depends on.
 *
 * @param name as people call it, such as {@code PostgreSQL}
 * @param cure what to do if it is away
 * @param goodFor how long one good answer stands; spares what is not ours
 * @param needed whether the control plane is no use without it; one that is not ready gets no webhook and no lease
 * @param probe throws if it is away
 */
public record Dependency(String name, String cure, Duration goodFor, boolean needed, Probe probe) {

    /** Looks whether it is there. */
    @FunctionalInterface
    public interface Probe {
        void run() throws Exception;
    }
}
