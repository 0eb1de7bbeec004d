package dev.mayfly.testkit.gitlab.model;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A project's webhook, its deliveries and its state after failures. Guarded by the instance's lock. */
public final class Hook {
    private static final int KEPT_DELIVERIES = 500;

    /** What a user sets; {@code events} holds names such as {@code job_events}. */
    public record Settings(
            String url,
            @Nullable String name,
            @Nullable String description,
            @Nullable String token,
            @Nullable String signingToken,
            Set<String> events,
            boolean sslVerification,
            Map<String, String> customHeaders) {
        @Override
        public String toString() {
            return "Hook.Settings[" + url + ", " + events + "]";
        }
    }

    /** One attempt to deliver an event. */
    public record Delivery(
            long id,
            String url,
            String trigger,
            Map<String, String> requestHeaders,
            String requestBody,
            String status,
            double seconds,
            Instant at) {}

    private final long id;
    private final long projectId;
    private final Instant createdAt;
    private final Deque<Delivery> deliveries = new ArrayDeque<>();
    private Settings settings;
    private int recentFailures;
    private int backoffCount;
    private @Nullable Instant disabledUntil;
    private boolean disabled;

    public Hook(long id, long projectId, Settings settings, Instant createdAt) {
        this.id = id;
        this.projectId = projectId;
        this.settings = settings;
        this.createdAt = createdAt;
    }

    public long id() {
        return id;
    }

    public long projectId() {
        return projectId;
    }

    public Settings settings() {
        return settings;
    }

    public void change(Settings newSettings) {
        settings = newSettings;
    }

    public Instant createdAt() {
        return createdAt;
    }

    public List<Delivery> deliveries() {
        return new ArrayList<>(deliveries);
    }

    public void record(Delivery delivery) {
        deliveries.addFirst(delivery);
        if (deliveries.size() > KEPT_DELIVERIES) {
            deliveries.removeLast();
        }
    }

    public boolean isExecutable(Instant now) {
        return alertStatus(now).equals("executable");
    }

    public String alertStatus(Instant now) {
        if (disabled) {
            return "disabled";
        }
        Instant until = disabledUntil;
        return until != null && until.isAfter(now) ? "temporarily_disabled" : "executable";
    }

    public @Nullable Instant disabledUntil() {
        return disabledUntil;
    }

    public void succeeded() {
        recentFailures = 0;
        backoffCount = 0;
        disabledUntil = null;
        disabled = false;
    }

    /**
     * After more than three failures in a row: off for a minute, doubling up to a day; after forty for good. Events that
     * were under way when it was switched off do not count.
     */
    public void failed(Instant now) {
        if (!isExecutable(now)) {
            return;
        }
        recentFailures++;
        if (recentFailures >= 40) {
            disabled = true;
        } else if (recentFailures > 3) {
            long seconds = Math.min(86_400, 60L << Math.min(backoffCount, 20));
            disabledUntil = now.plusSeconds(seconds);
            backoffCount++;
        }
    }
}
