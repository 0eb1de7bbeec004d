package dev.mayfly.testkit.gitlab.model;

import java.time.Instant;
import java.util.Map;

/** One process that uses a runner's token, known by its {@code system_id}. */
public record RunnerManager(
        long id, String systemId, Map<String, Object> info, String ipAddress, Instant createdAt, Instant contactedAt) {
    /** A text out of the {@code info} that the runner sent. */
    public String info(String key) {
        Object value = info.get(key);
        return value == null ? "" : String.valueOf(value);
    }
}
