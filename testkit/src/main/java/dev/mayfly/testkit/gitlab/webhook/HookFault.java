package dev.mayfly.testkit.gitlab.webhook;

import org.jspecify.annotations.Nullable;

/**
 * Something that goes wrong with webhooks, for the next {@code times} events that match, or of those each {@code every}-th.
 *
 * @param action {@code drop}, {@code double} (the same event twice), {@code delay}, {@code reorder} (sent after the event
 *     that follows it), {@code shuffle} (sent at any time within {@code delayMillis})
 * @param event {@code Job Hook} or {@code Pipeline Hook}, null for any
 * @param status status of build or pipeline, null for any
 * @param every 1 for each event that matches
 * @param seen how many have matched
 */
public record HookFault(
        String action,
        @Nullable String event,
        @Nullable String status,
        int delayMillis,
        int times,
        int every,
        int seen) {

    boolean matches(HookEvent of) {
        return (event == null || event.equals(of.event())) && (status == null || status.equals(of.status()));
    }

    /** Whether the next event that matches is one that goes wrong. */
    boolean isNext() {
        return times > 0 && (seen + 1) % every == 0;
    }

    /** After an event that matches. */
    HookFault next() {
        return new HookFault(action, event, status, delayMillis, times - (isNext() ? 1 : 0), every, seen + 1);
    }
}
