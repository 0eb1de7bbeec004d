package dev.mayfly.activities.outbox;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import java.time.Clock;
import java.time.Duration;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/**
 * Signals that transactions decided on, sent afterwards by any control plane. Each is sent at least once; workflows
 * tolerate doubled, late and reordered ones.
 */
@SuppressWarnings({"DoNotCallSuggester", "ObjectToString"})
public final class Outbox {

    /** Payloads as they stand in PostgreSQL. */
    public static final ObjectMapper JSON = new ObjectMapper();

    public Outbox(Jdbi jdbi, Clock clock) {
        throw new UnsupportedOperationException("soon: " + jdbi + clock);
    }

    /** Which signal of {@code CiJobWorkflow}. */
    public enum Signal {
        HOLDING,
        LOOK,
        ENDED
    }

    /**
     * A signal to send.
     *
     * @param holding payload of HOLDING, else null
     * @param status payload of ENDED, else null
     * @param start if not null the signal starts the workflow if it is not running (signal-with-start; one that has
     *     completed is left alone); if null a workflow that isn't there is none of our business
     * @param attempts how often it was tried before
     */
    public record Message(
            long id,
            String workflowId,
            Signal signal,
            @Nullable Holding holding,
            @Nullable String status,
            @Nullable CiJob start,
            int attempts) {}

    /** How a message is sent; throws if it should be tried again. */
    public interface Sender {
        void send(Message message) throws Exception;
    }

    /** Adds a signal within the caller's transaction and wakes {@code Channel.OUTBOX} at its commit. */
    public void add(
            Handle handle,
            String workflowId,
            Signal signal,
            @Nullable Holding holding,
            @Nullable String status,
            @Nullable CiJob start) {
        throw new UnsupportedOperationException("soon: " + handle + workflowId + signal + holding + status + start);
    }

    /** {@link #add} in a transaction of its own. */
    public void add(String workflowId, Signal signal, @Nullable String status, @Nullable CiJob start) {
        throw new UnsupportedOperationException("soon: " + workflowId + signal + status + start);
    }

    /** Sends up to {@code most} due messages, skipping those that another process has in hand; returns how many. */
    public int drain(int most, Sender sender) {
        throw new UnsupportedOperationException("soon: " + most + sender);
    }

    /** Messages not delivered yet. */
    public long depth() {
        throw new UnsupportedOperationException("soon");
    }

    /** Forgets what was delivered longer ago than this. */
    public int purge(Duration deliveredBefore) {
        throw new UnsupportedOperationException("soon: " + deliveredBefore);
    }
}
