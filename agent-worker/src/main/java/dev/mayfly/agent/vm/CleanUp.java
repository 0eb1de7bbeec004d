package dev.mayfly.agent.vm;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Runs every step of a clean-up, also after one has failed, and then tells of all failures at once. */
public final class CleanUp {

    private final List<Exception> failures = new ArrayList<>();
    private final String what;

    public CleanUp(String what) {
        this.what = what;
    }

    /** A step that may fail. */
    @FunctionalInterface
    public interface Step {
        void run() throws IOException;
    }

    /** Runs a step now. */
    public CleanUp then(Step step) {
        try {
            step.run();
        } catch (IOException | RuntimeException e) {
            failures.add(e);
        }
        return this;
    }

    /** Throws if any step failed. */
    public void orThrow() throws IOException {
        if (failures.isEmpty()) {
            return;
        }
        IOException all =
                new IOException("%s: %s".formatted(what, failures.get(0).getMessage()), failures.get(0));
        failures.stream().skip(1).forEach(all::addSuppressed);
        throw all;
    }
}
