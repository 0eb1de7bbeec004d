package dev.mayfly.api;

import io.dropwizard.lifecycle.Managed;
import java.util.List;

/** Closes what the process holds, in the order given, when it stops. */
record Closing(List<AutoCloseable> parts) implements Managed {

    @Override
    public void stop() throws Exception {
        for (AutoCloseable part : parts) {
            part.close();
        }
    }
}
