package dev.mayfly.demo.bench;

import org.jspecify.annotations.Nullable;

/**
 * A figure beside its floor.
 *
 * @param name from what to what
 * @param how where the times come from
 * @param floorIs what the floor is; null if there is none
 */
record Measurement(
        String name,
        String how,
        Distribution measured,
        @Nullable String floorIs,
        @Nullable Distribution floor) {}
