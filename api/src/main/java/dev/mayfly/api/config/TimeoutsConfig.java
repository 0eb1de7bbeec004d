package dev.mayfly.api.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import dev.mayfly.workflows.Timeouts;
import io.dropwizard.util.Duration;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Map;

/** Changes to the time-outs of a job's life: names and values of {@link Timeouts}, all optional. */
public final class TimeoutsConfig {

    private final Timeouts timeouts;

    private TimeoutsConfig(Timeouts timeouts) {
        this.timeouts = timeouts;
    }

    /** The defaults with these changes; a name that is none is refused, and the message lists the names. */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static TimeoutsConfig of(Map<String, Duration> changes) {
        RecordComponent[] components = Timeouts.class.getRecordComponents();
        var names = Arrays.stream(components).map(RecordComponent::getName).toList();
        for (String name : changes.keySet()) {
            if (!names.contains(name)) {
                throw new IllegalArgumentException("%s is no time-out; the names are %s".formatted(name, names));
            }
        }
        try {
            Object[] values = new Object[components.length];
            for (int i = 0; i < components.length; i++) {
                Duration change = changes.get(components[i].getName());
                values[i] = change == null
                        ? components[i].getAccessor().invoke(Timeouts.defaults())
                        : change.toJavaDuration();
            }
            Class<?>[] types =
                    Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
            return new TimeoutsConfig(
                    Timeouts.class.getDeclaredConstructor(types).newInstance(values));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("Timeouts is no public record of durations", e);
        }
    }

    public Timeouts timeouts() {
        return timeouts;
    }
}
