package dev.mayfly.activities.jobs;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.ToIntFunction;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/**
 * Forgets jobs that ended long ago, and the slots, runners and ledger entries that were made for them. Nothing of which
 * anything may be left is forgotten: a slot that is not released, a runner that is not removed, an open entry in the
 * ledger, and the jobs of such a slot.
 */
public final class Retention {

    /** Short transactions: nobody waits for them. */
    static final int AT_ONCE = 1000;

    private final Jdbi jdbi;
    private final Clock clock;

    public Retention(Jdbi jdbi, Clock clock) {
        this.jdbi = jdbi;
        this.clock = clock;
    }

    /**
     * Forgets what ended longer ago than this.
     *
     * @return how many jobs were forgotten
     */
    public int forget(Duration endedBefore) {
        Instant before = clock.instant().minus(endedBefore);
        inSteps(handle -> forgetSlots(handle, before));
        return inSteps(handle -> forgetJobs(handle, before));
    }

    /** Each step a transaction of its own, until one finds less than it may; how many were forgotten. */
    private int inSteps(ToIntFunction<Handle> step) {
        int all = 0;
        int forgotten;
        do {
            forgotten = jdbi.inTransaction(handle -> step.applyAsInt(handle));
            all += forgotten;
        } while (forgotten == AT_ONCE);
        return all;
    }

    private static int forgetSlots(Handle handle, Instant before) {
        List<String> slots = old(handle, before, """
                select id from slot where released_at < :before
                    and not exists (select from runner where runner.slot_id = slot.id and runner.removed_at is null)
                    and not exists (select from ledger where ledger.slot_id = slot.id and ledger.destroyed_at is null)
                order by released_at limit :most""");
        delete(handle, slots, "runner", "slot_id");
        delete(handle, slots, "ledger", "slot_id");
        return delete(handle, slots, "slot", "id");
    }

    private static int forgetJobs(Handle handle, Instant before) {
        List<String> jobs = old(handle, before, """
                select key from job
                where (finished_at < :before and (left_at is not null or queued_at is null)
                        -- it never had a workflow: refused, or over before it was heard of
                        or finished_at is null and queued_at is null and seen_at < :before)
                    and not exists (select from slot where slot.made_for = job.key)
                    and not exists (select from slot where slot.claimed_by = job.key)
                limit :most""");
        delete(handle, jobs, "forecast", "job_key");
        delete(handle, jobs, "queue", "job_key");
        return delete(handle, jobs, "job", "key");
    }

    private static List<String> old(Handle handle, Instant before, String query) {
        return handle.createQuery(query)
                .bind("before", before)
                .bind("most", AT_ONCE)
                .mapTo(String.class)
                .list();
    }

    private static int delete(Handle handle, List<String> keys, String table, String column) {
        return handle.createUpdate("delete from <table> where <column> = any(:keys)")
                .define("table", table)
                .define("column", column)
                .bindArray("keys", String.class, keys)
                .execute();
    }
}
