package dev.mayfly.activities.outbox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.activities.db.Backoff;
import dev.mayfly.activities.db.Channel;
import dev.mayfly.workflows.activity.Holding;
import dev.mayfly.workflows.job.CiJob;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.mapper.reflect.ConstructorMapper;
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
     * @param text of ENDED GitLab's word for how; else what happened, one sentence for people, or null
     * @param start if not null the signal starts the workflow if it is not running (signal-with-start; one that has
     *     completed is left alone); if null a workflow that isn't there is none of our business
     * @param attempts how often it was tried before
     */
    public record Message(
            long id,
            String workflowId,
            Signal signal,
            @Nullable Holding holding,
            @Nullable String text,
            @Nullable CiJob start,
            int attempts) {}

    private record Payload(
            @Nullable Holding holding,
            @Nullable String text,
            @Nullable CiJob start) {}

    private record Addressed(String workflow, Payload payload) {}

    /** As it stands in the table, {@code attempts} with the one under way. Public only for the row mapper. */
    public record Row(long id, String workflowId, String signal, String payload, int attempts) {}

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
            @Nullable String text,
            @Nullable CiJob start) {
        handle.createUpdate("""
                        insert into outbox (workflow_id, signal, payload, created_at, due_at)
                        values (:workflow, :signal, cast(:payload as jsonb), :now, :now)""")
                .bind("workflow", workflowId)
                .bind("signal", signal)
                .bind("payload", json(new Payload(holding, text, start)))
                .bind("now", clock.instant())
                .execute();
        handle.execute("select pg_notify(?, '')", Channel.OUTBOX.pgName());
    }

    /** Whether a signal that starts this workflow is still to be sent. */
    public boolean startsLater(Handle handle, String workflowId) {
        return handle.createQuery("""
                        select exists (select from outbox where workflow_id = :workflow and delivered_at is null
                            and jsonb_typeof(payload -> 'start') = 'object')""")
                .bind("workflow", workflowId)
                .mapTo(Boolean.class)
                .one();
    }

    /** HOLDING for each of these jobs, as {@link #add} would one by one. */
    public void addHoldings(Handle handle, Map<String, Holding> byWorkflow) {
        if (byWorkflow.isEmpty()) {
            return;
        }
        List<Addressed> messages = byWorkflow.entrySet().stream()
                .map(each -> new Addressed(each.getKey(), new Payload(each.getValue(), null, null)))
                .toList();
        handle.createUpdate("""
                        insert into outbox (workflow_id, signal, payload, created_at, due_at)
                        select message ->> 'workflow', :signal, message -> 'payload', :now, :now
                        from jsonb_array_elements(cast(:messages as jsonb)) as message""")
                .bind("signal", Signal.HOLDING)
                .bind("messages", json(messages))
                .bind("now", clock.instant())
                .execute();
        handle.execute("select pg_notify(?, '')", Channel.OUTBOX.pgName());
    }

    /** As the longer one, in a transaction of its own. */
    public void add(String workflowId, Signal signal, @Nullable String text, @Nullable CiJob start) {
        jdbi.useTransaction(handle -> add(handle, workflowId, signal, null, text, start));
    }

    /**
     * Sends up to {@code most} due messages, oldest first, skipping those that another process has in hand. One that
     * can't be sent is tried again with back-off and holds up nobody.
     *
     * @return how many were sent
     */
    public int drain(int most, Sender sender) {
        int sent = 0;
        for (Row row : take(most)) {
            try {
                sender.send(message(row));
                jdbi.useHandle(handle -> handle.execute(
                        "update outbox set delivered_at = ?, last_error = null where id = ?",
                        clock.instant(),
                        row.id()));
                sent++;
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                return sent;
            } catch (Exception failure) {
                log.warn(
                        "signal {} to job {} failed at attempt {}, to be tried again",
                        row.signal(),
                        row.workflowId(),
                        row.attempts(),
                        failure);
                postpone(row, failure);
            }
        }
        return sent;
    }

    private List<Row> take(int most) {
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
                .map(ConstructorMapper.of(Row.class))
                .list());
    }

    private void postpone(Row row, Exception failure) {
        Instant due = clock.instant().plus(Backoff.after(row.attempts() - 1));
        jdbi.useHandle(handle -> handle.execute(
                "update outbox set due_at = ?, last_error = ? where id = ?",
                due,
                Backoff.shortText(failure),
                row.id()));
    }

    private static Message message(Row row) throws JsonProcessingException {
        Payload payload = JSON.readValue(row.payload(), Payload.class);
        return new Message(
                row.id(),
                row.workflowId(),
                Signal.valueOf(row.signal()),
                payload.holding(),
                payload.text(),
                payload.start(),
                row.attempts() - 1);
    }

    private static String json(Object payload) {
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
