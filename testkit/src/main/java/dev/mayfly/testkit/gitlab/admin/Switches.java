package dev.mayfly.testkit.gitlab.admin;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an administrator could set about a GitLab server, and what only a simulated one lets a test set. Read under the
 * lock or without it: every value stands for itself.
 */
public final class Switches {
    /** A number that can be set, with its value at the start. */
    public enum Setting {
        /** 1: a claimed job runs only once its runner says so. 0: at once, as servers did before. */
        TWO_PHASE(1),
        /** How long a claim may go without a word. */
        ACKNOWLEDGE_SECONDS(120),
        /** Seconds between log updates that runners are told. */
        TRACE_UPDATE_INTERVAL(3),
        /** How long a runner that has seen everything is kept waiting. */
        LONG_POLL_SECONDS(50),
        /** 1: uploads of artifacts are sent elsewhere by a 307. */
        REDIRECT_UPLOADS(0),
        /** 1: downloads that ask for it are sent elsewhere by a 302. */
        DIRECT_DOWNLOADS(0),
        /** The next so many final states are answered 202 before they are taken. */
        ACCEPT_FINALS(0),
        /** The next so many final states are answered 412: the log must be sent anew. */
        REJECT_CHECKSUMS(0),
        /** The next so many requests for a job that would get one are answered 409. */
        QUEUE_CONFLICTS(0),
        /** 1: a runner gets the job that its maintenance note names only if no other fits, and of others the newest. */
        CROSS_CLAIMS(0),
        MAX_ARTIFACT_BYTES(1L << 30),
        MAX_TRACE_BYTES(100L << 20),
        /** Runners that may have been made or active in a project within seven days; 0: any number. */
        PROJECT_RUNNER_LIMIT(1000),
        /** Requests for jobs by one runner in a minute; 0: any number. */
        JOBS_REQUEST_LIMIT(2000),
        /** REST calls by one token in a minute; 0: any number. */
        API_LIMIT(0),
        /** 1: hooks that fail are switched off. */
        AUTO_DISABLE_HOOKS(1);

        private final long atStart;

        Setting(long atStart) {
            this.atStart = atStart;
        }

        /** Its name in JSON. */
        public String key() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    private final Map<Setting, Long> values = new TreeMap<>();

    public synchronized long get(Setting number) {
        return values.getOrDefault(number, number.atStart);
    }

    public synchronized boolean isOn(Setting number) {
        return get(number) != 0;
    }

    public synchronized void set(Setting number, long value) {
        values.put(number, value);
    }

    /** True, and one less, as long as the number is above nothing. */
    public synchronized boolean takeOne(Setting number) {
        long left = get(number);
        if (left > 0) {
            values.put(number, left - 1);
        }
        return left > 0;
    }

    public synchronized Map<String, Object> asMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        for (Setting number : Setting.values()) {
            map.put(number.key(), get(number));
        }
        return map;
    }
}
