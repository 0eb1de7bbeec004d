package dev.mayfly.testkit.gitlab.webhook;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An event on its way to one hook.
 *
 * @param event what {@code X-Gitlab-Event} says
 * @param trigger name of the hook's switch, such as {@code job_events}
 */
record HookEvent(String event, String trigger, String status, Map<String, @Nullable Object> payload) {}
