package dev.mayfly.activities.capacity.exchange;

import dev.mayfly.activities.capacity.SlotView;
import dev.mayfly.activities.capacity.Slots;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/**
 * What PostgreSQL says after a transaction.
 *
 * @param live the slots that are not released
 * @param lines all that matters, sorted, in the words of {@link ModelCapacity#lines}
 */
record Snapshot(List<SlotView> live, List<String> lines) {

    /** Takes the signals that wait out of the outbox, so that each is seen once. */
    private static final String LINES = """
            with sent as (delete from outbox returning id, workflow_id, signal, payload)
            select 'signal ' || split_part(workflow_id, ':', 4) || ' ' || signal
                || coalesce(' ' || (payload -> 'holding' ->> 'slotId'), '')
                || case when jsonb_typeof(payload -> 'start') = 'object' then ' start' else '' end
            from sent
            union all
            select 'slot ' || slot.id || case when owner is null
                then ' released by ' || coalesce(nullif(split_part(released_by, ':', 4), ''), released_by)
                else ' on ' || host_id || ' epoch ' || epoch
                    || ' owner ' || coalesce(nullif(split_part(owner, ':', 4), ''), owner)
                    || ' holder ' || coalesce(split_part(holding.job_key, ':', 4), 'null')
                    || ' claim ' || coalesce(split_part(claimed_by, ':', 4), 'null') end
            from slot left join holding on holding.slot_id = slot.id
            union all
            select 'host ' || id || ' ' || state || ' epoch ' || epoch || ' used ' || used_milli_cpus from host
            union all
            select 'queue ' || row_number() over (order by level, rank, place) || ' ' || split_part(job_key, ':', 4)
            from queue where waiting
            union all
            select 'left ' || job_id from job where left_at is not null""";

    static Snapshot read(Jdbi jdbi) {
        List<String> lines = jdbi.withHandle(
                handle -> handle.createQuery(LINES).mapTo(String.class).list());
        return new Snapshot(new Slots(jdbi).live(), lines.stream().sorted().toList());
    }

    /** The slot, if it is not released. */
    Optional<SlotView> slot(String id) {
        return live.stream().filter(slot -> slot.slotId().equals(id)).findFirst();
    }

    Optional<SlotView> heldBy(long job) {
        return live.stream()
                .filter(slot -> slot.holder() != null
                        && Objects.requireNonNull(slot.holder()).jobId() == job)
                .findFirst();
    }
}
