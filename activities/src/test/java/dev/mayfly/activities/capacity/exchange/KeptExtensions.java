package dev.mayfly.activities.capacity.exchange;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.extension.ExtensionFactory;
import org.jdbi.v3.core.extension.Extensions;
import org.jdbi.v3.core.extension.HandleSupplier;
import org.jdbi.v3.sqlobject.SqlObjectFactory;
import org.jspecify.annotations.Nullable;

/**
 * Attaches each SqlObject to a handle once: Jdbi looks at all its methods whenever it is attached, which is a third of
 * the time of a transaction. For one thread, with one handle at a time.
 */
final class KeptExtensions implements ExtensionFactory {

    private final Map<Class<?>, Object> kept = new HashMap<>();
    private @Nullable Handle handle;

    @Override
    public boolean accepts(Class<?> type) {
        return type.isInterface();
    }

    @Override
    public <E> E attach(Class<E> type, HandleSupplier supplier) {
        if (!supplier.getHandle().equals(handle)) {
            handle = supplier.getHandle();
            kept.clear();
        }
        return type.cast(
                kept.computeIfAbsent(type, missing -> sqlObjects(supplier).attach(type, supplier)));
    }

    private static ExtensionFactory sqlObjects(HandleSupplier supplier) {
        return supplier.getConfig()
                .get(Extensions.class)
                .findFactory(SqlObjectFactory.class)
                .orElseThrow();
    }

    @Override
    public Set<FactoryFlag> getFactoryFlags() {
        return Set.of(FactoryFlag.DONT_USE_PROXY);
    }
}
