package dev.mayfly.demo.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.mayfly.demo.JsonApi;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/**
 * How long the control plane took to answer a project's job webhooks, as GitLab measured it. GitLab forgets all but the
 * newest deliveries, so they are collected again and again.
 */
final class HookDeliveries {

    private static final int PER_PAGE = 100;

    private final JsonApi gitlab;
    private final String events;
    private final Map<Long, Duration> taken = new TreeMap<>();

    HookDeliveries(JsonApi gitlab, long project) {
        this.gitlab = gitlab;
        String hooks = "/api/v4/projects/%d/hooks".formatted(project);
        this.events = "%s/%d/events"
                .formatted(hooks, gitlab.get(hooks).get(0).get("id").asLong());
    }

    /** Takes what GitLab has recorded since. */
    void collect() {
        JsonNode page;
        int number = 1;
        do {
            page = gitlab.get("%s?per_page=%d&page=%d".formatted(events, PER_PAGE, number++));
            page.forEach(this::take);
        } while (page.size() == PER_PAGE);
    }

    private void take(JsonNode delivery) {
        if (!delivery.get("trigger").asText().equals("job_hooks")) {
            return;
        }
        if (!delivery.get("response_status").asText().equals("200")) {
            throw new IllegalStateException("the control plane answered a webhook with "
                    + delivery.get("response_status").asText());
        }
        taken.put(
                delivery.get("id").asLong(),
                Duration.ofNanos(Math.round(delivery.get("execution_duration").asDouble() * 1e9)));
    }

    /** Forgets what was taken so far. */
    void clear() {
        taken.clear();
    }

    Collection<Duration> times() {
        return taken.values();
    }
}
