package dev.mayfly.testkit.gitlab.webhook;

import org.jspecify.annotations.Nullable;

/**
 * Something that goes wrong with webhooks, for the next {@code times} events that match.
 *
 * @param action {@code drop}, {@code double} (the same event twice), {@code delay}, {@code reorder} (sent after the event
 *     that follows it)
 * @param event {@code Job Hook} or {@code Pipeline Hook}, null for any
 * @param status status of build or pipeline, null for any
 */
public record HookFault(
        String action, @Nullable String event, @Nullable String status, int delayMillis, int times) {
    boolean matches(HookEvent of) {
        return (event == null || event.equals(of.event())) && (status == null || status.equals(of.status()));
    }

    HookFault once() {
        return new HookFault(action, event, status, delayMillis, times - 1);
    }
}
