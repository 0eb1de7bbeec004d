package dev.mayfly.demo.bench;

import com.google.protobuf.Timestamp;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.client.WorkflowClient;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;

/**
 * The way of a workflow to its activity, by Temporal's history.
 *
 * @param started the workflow exists
 * @param taken its first task is in a worker's hands
 * @param scheduled the worker asked for the activity
 * @param onHost the activity was given to its worker
 */
record LaunchHistory(Instant started, Instant taken, Instant scheduled, Instant onHost) {

    static LaunchHistory of(WorkflowClient client, String workflowId, String activity) {
        List<HistoryEvent> events = client.fetchHistory(workflowId).getEvents();
        HistoryEvent launch = first(
                workflowId,
                events,
                event -> event.getEventType() == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
                        && event.getActivityTaskScheduledEventAttributes()
                                .getActivityType()
                                .getName()
                                .equals(activity));
        HistoryEvent onHost = first(
                workflowId,
                events,
                event -> event.getEventType() == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
                        && event.getActivityTaskStartedEventAttributes().getScheduledEventId() == launch.getEventId());
        return new LaunchHistory(
                time(events.get(0)),
                time(first(
                        workflowId,
                        events,
                        event -> event.getEventType() == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED)),
                time(launch),
                time(onHost));
    }

    /** The parts of the way from {@code begun} to the activity's first line, as {@link #STEPS} names them. */
    List<Duration> steps(Instant begun, Instant firstLine) {
        return List.of(
                Duration.between(begun, started),
                Duration.between(started, taken),
                Duration.between(taken, scheduled),
                Duration.between(scheduled, onHost),
                Duration.between(onHost, firstLine));
    }

    static final List<String> STEPS = List.of(
            "webhook received → workflow started (inbox, look-up in GitLab, start)",
            "→ its first task in the worker's hands",
            "→ launch scheduled (slot held in the same task)",
            "→ launch given to the agent's poll",
            "→ its first line in the agent");

    private static HistoryEvent first(String workflowId, List<HistoryEvent> events, Predicate<HistoryEvent> wanted) {
        return events.stream()
                .filter(wanted)
                .findFirst()
                .orElseThrow(
                        () -> new IllegalStateException("the history of %s shows no such event".formatted(workflowId)));
    }

    private static Instant time(HistoryEvent event) {
        Timestamp time = event.getEventTime();
        return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
    }
}
