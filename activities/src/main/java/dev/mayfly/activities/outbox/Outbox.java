package dev.mayfly.activities.outbox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.activities.db.Backoff;
import dev.mayfly.activities.db.Channel;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Signals that transactions decided on, sent afterwards by any control plane. Each is sent at least once: one whose
 * sender crashed is sent again after {@link #IN_HAND}. Workflows tolerate doubled, late and reordered ones.
 */
public final class Outbox {

    /** How long a message is in one process's hand before another may send it; longer than a send may take. */
    static final Duration IN_HAND = Duration.ofSeconds(15);

    private static final Logger log = LoggerFactory.getLogger(Outbox.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Jdbi jdbi;
    private final Clock clock;

    public Outbox(Jdbi jdbi, Clock clock) {
        this.jdbi = jdbi;
        this.clock = clock;
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

    private record Payload(
            @Nullable Holding holding,
            @Nullable String status,
            @Nullable CiJob start) {}

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
        handle.createUpdate("""
                        insert into outbox (workflow_id, signal, payload, created_at, due_at)
                        values (:workflow, :signal, cast(:payload as jsonb), :now, :now)""")
                .bind("workflow", workflowId)
                .bind("signal", signal)
                .bind("payload", json(new Payload(holding, status, start)))
                .bind("now", clock.instant())
                .execute();
        handle.execute("select pg_notify(?, '')", Channel.OUTBOX.pgName());
    }

    /** As the longer one, in a transaction of its own. */
    public void add(String workflowId, Signal signal, @Nullable String status, @Nullable CiJob start) {
        jdbi.useTransaction(handle -> add(handle, workflowId, signal, null, status, start));
    }

    /** Sends up to {@code most} due messages, skipping those that another process has in hand; returns how many. */
    public int drain(int most, Sender sender) {
        int sent = 0;
        for (Message message : take(most)) {
            try {
                sender.send(message);
                jdbi.useHandle(handle -> handle.execute(
                        "update outbox set delivered_at = ?, last_error = null where id = ?",
                        clock.instant(),
                        message.id()));
                sent++;
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                return sent;
            } catch (Exception failure) {
                log.warn(
                        "signal {} to {} failed at attempt {}, to be tried again",
                        message.signal(),
                        message.workflowId(),
                        message.attempts() + 1,
                        failure);
                postpone(message, failure);
            }
        }
        return sent;
    }

    private List<Message> take(int most) {
        Instant now = clock.instant();
        return jdbi.withHandle(handle -> handle.createQuery("""
                        with taken as (
                            update outbox set attempts = attempts + 1, due_at = :until where id in (
                                select id from outbox where delivered_at is null and due_at <= :now
                                order by id limit :most for update skip locked)
                            returning id, workflow_id, signal, payload, attempts)
                        select * from taken order by id""")
                .bind("now", now)
                .bind("until", now.plus(IN_HAND))
                .bind("most", most)
                .map((row, context) -> message(row))
                .list());
    }

    private void postpone(Message message, Exception failure) {
        Instant due = clock.instant().plus(Backoff.after(message.attempts()));
        jdbi.useHandle(handle -> handle.execute(
                "update outbox set due_at = ?, last_error = ? where id = ?",
                due,
                Backoff.shortText(failure),
                message.id()));
    }

    private static Message message(ResultSet row) throws SQLException {
        try {
            Payload payload = JSON.readValue(row.getString("payload"), Payload.class);
            return new Message(
                    row.getLong("id"),
                    row.getString("workflow_id"),
                    Signal.valueOf(row.getString("signal")),
                    payload.holding(),
                    payload.status(),
                    payload.start(),
                    row.getInt("attempts") - 1);
        } catch (JsonProcessingException broken) {
            throw new SQLException("outbox row %d does not parse".formatted(row.getLong("id")), broken);
        }
    }

    private static String json(Payload payload) {
        try {
            return JSON.writeValueAsString(payload);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("a signal's payload does not serialize", impossible);
        }
    }

    /** Messages not delivered yet. */
    public long depth() {
        return jdbi.withHandle(handle -> handle.createQuery("select count(*) from outbox where delivered_at is null")
                .mapTo(Long.class)
                .one());
    }

    /** Forgets what was delivered longer ago than this. */
    public int purge(Duration deliveredBefore) {
        Instant before = clock.instant().minus(deliveredBefore);
        return jdbi.withHandle(handle -> handle.execute("delete from outbox where delivered_at < ?", before));
    }
}
