package dev.mayfly.testkit.gitlab.ci;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What {@code rules} said: the first that holds, or nothing to add, or no job. */
record RuleOutcome(
        boolean included,
        @Nullable String when,
        @Nullable Object allowFailure,
        @Nullable Object startIn,
        Map<String, @Nullable Object> variables,
        @Nullable Object needs) {
    static final RuleOutcome PLAIN = new RuleOutcome(true, null, null, null, Map.of(), null);
    static final RuleOutcome EXCLUDED = new RuleOutcome(false, null, null, null, Map.of(), null);
}
