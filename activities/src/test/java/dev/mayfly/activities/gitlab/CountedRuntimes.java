package dev.mayfly.activities.gitlab;

import jakarta.ws.rs.core.FeatureContext;
import java.util.concurrent.atomic.AtomicInteger;
import org.glassfish.jersey.internal.spi.ForcedAutoDiscoverable;

/** Jersey calls it, as it is in {@code META-INF/services}, once for each HTTP runtime that is built in this JVM. */
public final class CountedRuntimes implements ForcedAutoDiscoverable {

    static final AtomicInteger BUILT = new AtomicInteger();

    @Override
    public void configure(FeatureContext context) {
        BUILT.incrementAndGet();
    }
}
