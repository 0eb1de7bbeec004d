package dev.mayfly.api.inbox;

import dev.mayfly.activities.outbox.Outbox;
import dev.mayfly.api.loop.Loop;
import dev.mayfly.api.start.JobStarter;
import dev.mayfly.workflows.job.JobKey;
import org.jspecify.annotations.Nullable;

/**
 * Sends the signals that transactions left in the outbox, each at least once. Several may be under way at once: workflows
 * don't mind the order.
 */
public final class OutboxSender implements Loop.Step {

    private static final int BATCH = 20;

    private final Outbox outbox;
    private final JobStarter starter;

    public OutboxSender(Outbox outbox, JobStarter starter) {
        this.outbox = outbox;
        this.starter = starter;
    }

    /** Sends what is due; true if there was something. */
    @Override
    public boolean run() {
        return outbox.drain(BATCH, this::send) > 0;
    }

    private void send(Outbox.Message message) {
        if (message.start() != null) {
            starter.start(message.start());
        }
        JobKey job = JobKey.parse(message.workflowId());
        switch (message.signal()) {
            case HOLDING -> starter.holding(job, payload(message, message.holding()), message.text());
            case LOOK -> starter.look(job, message.text());
            case ENDED -> starter.ended(job, payload(message, message.text()));
        }
    }

    private static <T> T payload(Outbox.Message message, @Nullable T payload) {
        if (payload == null) {
            throw new IllegalStateException(
                    "outbox row %d: %s has no payload".formatted(message.id(), message.signal()));
        }
        return payload;
    }
}
