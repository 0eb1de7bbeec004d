package dev.mayfly.activities.capacity;

import dev.mayfly.activities.capacity.WaitModel.Past;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.PreparedBatch;

/** How long waiting jobs will wait. What was guessed when they were queued is kept until it is known how good it was. */
public final class Forecasts {

    private static final Duration KEPT = Duration.ofDays(2);
    private static final int LEARNT_FROM = 400;

    private final Jdbi jdbi;
    private final Clock clock;

    public Forecasts(Jdbi jdbi, Clock clock) {
        this.jdbi = jdbi;
        this.clock = clock;
    }

    /** What all guesses are made of. */
    private record Fleet(long busyMilliCpus, double slotSeconds) {}

    /** To be called every few seconds: writes down guesses for jobs that are new in the queue, and who got a slot. */
    public void note() {
        Instant now = clock.instant();
        jdbi.useTransaction(handle -> {
            handle.createUpdate("""
                            update forecast set granted_at = coalesce((select min(slot.created_at) from slot
                                    where slot.made_for = forecast.job_key and slot.created_at >= forecast.made_at), :now)
                            where granted_at is null
                                and exists (select from holding where holding.job_key = forecast.job_key)""").bind("now", now).execute();
            handle.createUpdate("""
                            delete from forecast using job where job.key = forecast.job_key
                                and (granted_at is null and job.left_at is not null or granted_at < :old)""").bind("old", now.minus(KEPT)).execute();
            guess(handle, now);
        });
    }

    private static void guess(Handle handle, Instant now) {
        Optional<Fleet> fleet = fleet(handle);
        if (fleet.isEmpty()) {
            return;
        }
        PreparedBatch batch = handle.prepareBatch("""
                insert into forecast (job_key, made_at, guess_seconds) values (:job, :now, :guess)
                on conflict do nothing""");
        handle.createQuery("""
                        select * from (
                            select queue.job_key, sum(job.milli_cpus) over (order by level, rank, place) as ahead
                            from queue join job on job.key = queue.job_key
                            where queue.waiting and queue.start is not null and job.left_at is null) as waiting
                        where not exists (select from forecast where forecast.job_key = waiting.job_key)""")
                .map((row, context) -> batch.bind("job", row.getString("job_key"))
                        .bind("now", now)
                        .bind(
                                "guess",
                                WaitModel.guess(
                                        row.getLong("ahead"),
                                        fleet.get().busyMilliCpus(),
                                        fleet.get().slotSeconds()))
                        .add())
                .list();
        if (batch.size() > 0) {
            batch.execute();
        }
    }

    /** Empty as long as no slot has lived and gone. */
    private static Optional<Fleet> fleet(Handle handle) {
        return handle.createQuery("""
                        select (select coalesce(sum(milli_cpus), 0) from slot where released_at is null) as busy,
                            (select avg(extract(epoch from released_at - created_at)) from (
                                select released_at, created_at from slot where released_at is not null
                                order by released_at desc limit 100) as lately) as lived""")
                .map((row, context) -> {
                    double lived = row.getDouble("lived");
                    return row.wasNull() ? Optional.<Fleet>empty() : Optional.of(new Fleet(row.getLong("busy"), lived));
                })
                .one();
    }

    /** How long this job will wait from now on; empty if it does not wait, or nobody can know. */
    Optional<Eta> of(String job) {
        return jdbi.withHandle(handle -> {
            Optional<Long> ahead =
                    handle.createQuery("""
                            select (select sum(before.milli_cpus) from queue as other join job as before on before.key = other.job_key
                                where other.waiting and before.left_at is null
                                    and (other.level, other.rank, other.place) <= (queue.level, queue.rank, queue.place))
                            from queue where queue.job_key = :job and queue.waiting and queue.start is not null""").bind("job", job).mapTo(Long.class).findOne();
            Optional<Fleet> fleet = fleet(handle);
            if (ahead.isEmpty() || fleet.isEmpty()) {
                return Optional.empty();
            }
            double guess = WaitModel.guess(
                    ahead.get(), fleet.get().busyMilliCpus(), fleet.get().slotSeconds());
            return model(handle).of(guess);
        });
    }

    private WaitModel model(Handle handle) {
        List<Past> ended = past(handle, """
                select guess_seconds, made_at, granted_at as until from forecast where granted_at is not null
                order by granted_at desc limit :most""");
        Collections.reverse(ended);
        return new WaitModel(ended, past(handle, """
                select guess_seconds, made_at, cast(:now as timestamptz) as until from forecast where granted_at is null
                order by made_at limit :most"""));
    }

    private List<Past> past(Handle handle, String query) {
        return handle.createQuery(query)
                .bind("most", LEARNT_FROM)
                .bind("now", clock.instant())
                .map((row, context) -> new Past(
                        row.getDouble("guess_seconds"),
                        Duration.between(
                                                row.getObject("made_at", OffsetDateTime.class),
                                                row.getObject("until", OffsetDateTime.class))
                                        .toMillis()
                                / 1000.0))
                .list();
    }
}
