package dev.mayfly.activities.inbox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.mayfly.activities.db.Backoff;
import dev.mayfly.activities.db.Channel;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.mapper.reflect.ConstructorMapper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Webhook deliveries: stored by {@link #put} before they are answered, handled later by any control plane. A delivery
 * is handled at least once: one whose handler crashed is handed out again after {@link #IN_HAND}.
 */
public final class Inbox {

    /** How long a delivery is in one process's hand before another may take it; longer than its handler may need. */
    static final Duration IN_HAND = Duration.ofSeconds(60);

    private static final Logger log = LoggerFactory.getLogger(Inbox.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<Map<String, String>> HEADERS = new TypeReference<>() {};

    private final Jdbi jdbi;
    private final Clock clock;

    public Inbox(Jdbi jdbi, Clock clock) {
        this.jdbi = jdbi;
        this.clock = clock;
    }

    /**
     * A stored delivery.
     *
     * @param headers the few that are needed later, lower case
     * @param attempts how often it was tried before
     */
    @SuppressWarnings("ArrayRecordComponent") // the raw bytes, never compared
    public record Delivery(
            long id,
            String instance,
            String deliveryKey,
            byte[] body,
            Map<String, String> headers,
            int attempts,
            Instant receivedAt) {}

    /** As it stands in the table, {@code attempts} with the one under way. Public only for the row mapper. */
    @SuppressWarnings("ArrayRecordComponent") // the raw bytes, never compared
    public record Row(
            long id,
            String instance,
            String deliveryKey,
            byte[] body,
            String headers,
            int attempts,
            Instant receivedAt) {}

    /** Stores a delivery and wakes {@code Channel.INBOX}; false if its key is known for this instance. */
    public boolean put(String instance, String deliveryKey, byte[] body, Map<String, String> headers) {
        Instant now = clock.instant();
        String text = json(headers);
        return jdbi.inTransaction(handle -> {
            int stored = handle.createUpdate("""
                            insert into inbox (instance, delivery_key, body, headers, received_at, due_at)
                            values (:instance, :key, :body, cast(:headers as jsonb), :now, :now)
                            on conflict (instance, delivery_key) do nothing""")
                    .bind("instance", instance)
                    .bind("key", deliveryKey)
                    .bind("body", body)
                    .bind("headers", text)
                    .bind("now", now)
                    .execute();
            if (stored > 0) {
                handle.execute("select pg_notify(?, '')", Channel.INBOX.pgName());
            }
            return stored > 0;
        });
    }

    /**
     * Hands the due deliveries to {@code handler}, oldest first, skipping those that another process has in hand. What
     * it throws is kept with the delivery, which is tried again with back-off and holds up nobody.
     *
     * @return how many were handled or failed
     */
    public int drain(int most, Consumer<Delivery> handler) {
        List<Row> taken = take(most);
        for (Row row : taken) {
            try {
                handler.accept(delivery(row));
                finish(row.id());
            } catch (RuntimeException | JsonProcessingException failure) {
                log.warn(
                        "delivery {} of {} failed at attempt {}, to be tried again",
                        row.deliveryKey(),
                        row.instance(),
                        row.attempts(),
                        failure);
                postpone(row, failure);
            }
        }
        return taken.size();
    }

    private List<Row> take(int most) {
        Instant now = clock.instant();
        return jdbi.inTransaction(handle -> {
            relax(handle);
            return handle.createQuery("""
                        with taken as (
                            update inbox set attempts = attempts + 1, due_at = :until where id in (
                                select id from inbox where handled_at is null and due_at <= :now
                                order by id limit :most for update skip locked)
                            returning id, instance, delivery_key, body, headers, attempts, received_at)
                        select * from taken order by id""")
                    .bind("now", now)
                    .bind("until", now.plus(IN_HAND))
                    .bind("most", most)
                    .map(ConstructorMapper.of(Row.class))
                    .list();
        });
    }

    private static Delivery delivery(Row row) throws JsonProcessingException {
        return new Delivery(
                row.id(),
                row.instance(),
                row.deliveryKey(),
                row.body(),
                JSON.readValue(row.headers(), HEADERS),
                row.attempts() - 1,
                row.receivedAt());
    }

    private static String json(Map<String, String> headers) {
        try {
            return JSON.writeValueAsString(headers);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("headers do not serialize", impossible);
        }
    }

    private void finish(long id) {
        jdbi.useTransaction(handle -> {
            relax(handle);
            handle.execute("update inbox set handled_at = ?, last_error = null where id = ?", clock.instant(), id);
        });
    }

    /** Not worth a wait for the disk: what a crash forgets is handed out again, as any crash's work is. */
    private static void relax(Handle handle) {
        handle.execute("set local synchronous_commit = off");
    }

    private void postpone(Row row, Exception failure) {
        Instant due = clock.instant().plus(Backoff.after(row.attempts() - 1));
        jdbi.useHandle(handle -> handle.execute(
                "update inbox set due_at = ?, last_error = ? where id = ?", due, Backoff.shortText(failure), row.id()));
    }

    /** Deliveries not handled yet. */
    public long depth() {
        return jdbi.withHandle(handle -> handle.createQuery("select count(*) from inbox where handled_at is null")
                .mapTo(Long.class)
                .one());
    }

    /** Forgets what was handled longer ago than this. */
    public int purge(Duration handledBefore) {
        Instant before = clock.instant().minus(handledBefore);
        return jdbi.withHandle(handle -> handle.execute("delete from inbox where handled_at < ?", before));
    }
}
