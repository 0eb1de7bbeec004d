package dev.mayfly.api.ledger;

import dev.mayfly.activities.ledger.Difference;
import dev.mayfly.api.loop.Loop;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gauge of {@link Drift}. It counts only what two looks in a row have seen: a deed that is under way looks like a
 * difference too.
 */
public final class DriftWatch implements Loop.Step {

    private static final Logger LOG = LoggerFactory.getLogger(DriftWatch.class);

    private final Supplier<Drift.Look> look;
    private @Nullable Set<Difference> before;
    private volatile double lasting = Double.NaN;

    public DriftWatch(Supplier<Drift.Look> look) {
        this.look = look;
    }

    /** Differences that lasted from one look to the next; NaN before the first two. */
    public double lasting() {
        return lasting;
    }

    @Override
    public boolean run() {
        Set<Difference> now = new HashSet<>(look.get().differences());
        if (before != null) {
            Set<Difference> both = new HashSet<>(now);
            both.retainAll(before);
            both.forEach(lasts -> LOG.warn("ledger: {}: {}", lasts.source(), lasts.what()));
            lasting = both.size();
        }
        before = now;
        return false;
    }
}
