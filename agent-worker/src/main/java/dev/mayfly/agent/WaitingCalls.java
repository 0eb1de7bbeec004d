package dev.mayfly.agent;

import io.temporal.activity.ActivityExecutionContext;
import io.temporal.activity.ActivityInfo;
import io.temporal.activity.ManualActivityCompletionClient;
import io.temporal.client.ActivityCompletionException;
import io.temporal.failure.CanceledFailure;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Completes long activities when their stage ends, without a thread for each: one thread sends all heartbeats. Dropping a
 * call never ends what it waits for. If this agent dies, the missing heartbeats have Temporal deliver the calls again.
 */
final class WaitingCalls implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(WaitingCalls.class);
    private static final Duration BEAT_AT_MOST_EVERY = Duration.ofSeconds(20);

    private final ScheduledExecutorService beats = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "heartbeats");
        thread.setDaemon(true);
        return thread;
    });

    /** Leaves the activity of this context open until the stage ends. */
    void completeWith(ActivityExecutionContext context, CompletionStage<?> stage) {
        ActivityInfo info = context.getInfo();
        ManualActivityCompletionClient call = context.useLocalManualCompletion();
        long every = beatMillis(info);
        ScheduledFuture<?>[] beat = new ScheduledFuture<?>[1];
        beat[0] = beats.scheduleWithFixedDelay(() -> beat(call, info, beat), every, every, TimeUnit.MILLISECONDS);
        stage.whenComplete((result, failure) -> {
            beat[0].cancel(false);
            finish(call, info, result, failure);
        });
    }

    private static long beatMillis(ActivityInfo info) {
        long timeout = info.getHeartbeatTimeout().toMillis();
        long third = timeout > 0 ? timeout / 3 : Long.MAX_VALUE;
        return Math.max(50, Math.min(third, BEAT_AT_MOST_EVERY.toMillis()));
    }

    private static void beat(ManualActivityCompletionClient call, ActivityInfo info, ScheduledFuture<?>[] beat) {
        try {
            call.recordHeartbeat(null);
        } catch (CanceledFailure | ActivityCompletionException e) {
            // Cancelled, timed out or completed elsewhere: nobody waits for this call any more.
            log.debug("job {}: nobody waits for this {} any more", info.getWorkflowId(), info.getActivityType(), e);
            beat[0].cancel(false);
            release(call, info);
        } catch (RuntimeException e) {
            log.info(
                    "job {}: the heartbeat of {} did not go through, the next one may: {}",
                    info.getWorkflowId(),
                    info.getActivityType(),
                    e.toString());
        }
    }

    private static void finish(
            ManualActivityCompletionClient call,
            ActivityInfo info,
            @Nullable Object result,
            @Nullable Throwable failure) {
        try {
            if (failure == null) {
                call.complete(result);
            } else {
                call.fail(
                        failure instanceof CompletionException wrapped && wrapped.getCause() != null
                                ? wrapped.getCause()
                                : failure);
            }
        } catch (RuntimeException e) {
            // The call is delivered again after its heartbeat time-out and finds the same answer.
            log.info(
                    "job {}: {} could not be completed: {}",
                    info.getWorkflowId(),
                    info.getActivityType(),
                    e.toString());
        }
    }

    /** Gives the worker's slot back. */
    private static void release(ManualActivityCompletionClient call, ActivityInfo info) {
        try {
            call.reportCancellation(null);
        } catch (RuntimeException e) {
            log.debug("job {}: {} had ended already", info.getWorkflowId(), info.getActivityType(), e);
        }
    }

    @Override
    public void close() {
        beats.shutdownNow();
    }
}
