package dev.mayfly.activities.jobs;

import java.util.Map;

/**
 * How far in a job's life a status of GitLab's is. Webhooks are reordered, so a job's row never takes a lower rank.
 * {@code skipped} ranks low: a job skipped because an earlier stage failed comes back under the same id when that stage
 * is retried.
 */
final class StatusRank {

    static final int FINAL = 5;
    static final int UNKNOWN = 0;

    private static final Map<String, Integer> RANKS = Map.ofEntries(
            Map.entry("created", 1),
            Map.entry("skipped", 1),
            Map.entry("waiting_for_resource", 1),
            Map.entry("waiting_for_callback", 1),
            Map.entry("preparing", 1),
            Map.entry("scheduled", 1),
            Map.entry("manual", 1),
            Map.entry("pending", 2),
            Map.entry("running", 3),
            Map.entry("canceling", 4),
            Map.entry("success", FINAL),
            Map.entry("failed", FINAL),
            Map.entry("canceled", FINAL),
            Map.entry("gone", FINAL));

    private StatusRank() {}

    /** 0 for a word that GitLab has come up with since. */
    static int of(String status) {
        return RANKS.getOrDefault(status, UNKNOWN);
    }
}
