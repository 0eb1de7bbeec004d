package dev.mayfly.testkit.gitlab.http;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** So many calls a minute by one key; more get 429 with the headers that clients wait by. */
public final class RateLimiter {
    private final Map<String, Long> minute = new LinkedHashMap<>();
    private final Map<String, Integer> count = new LinkedHashMap<>();

    /** @param limit 0 for none */
    public synchronized void check(String key, long limit, Instant now) {
        if (limit <= 0) {
            return;
        }
        long current = now.getEpochSecond() / 60;
        if (!Long.valueOf(current).equals(minute.put(key, current))) {
            count.put(key, 0);
        }
        if (count.merge(key, 1, Integer::sum) > limit) {
            long wait = (current + 1) * 60 - now.getEpochSecond();
            throw new ApiException(429, "429 Too Many Requests")
                    .withHeader("Retry-After", Long.toString(wait))
                    .withHeader("RateLimit-Limit", Long.toString(limit))
                    .withHeader("RateLimit-Remaining", "0")
                    .withHeader("RateLimit-Reset", Long.toString((current + 1) * 60));
        }
    }
}
