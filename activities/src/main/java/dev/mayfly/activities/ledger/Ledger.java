package dev.mayfly.activities.ledger;

import dev.mayfly.workflows.agentapi.AgentApi.LeaseRequest;
import dev.mayfly.workflows.job.JobKey;
import java.time.Instant;
import java.util.List;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.mapper.reflect.ConstructorMapper;
import org.jspecify.annotations.Nullable;

/**
 * Everything that was ever made for a slot and when it was gone. What PostgreSQL keeps is entered by triggers with the
 * deed itself ({@code V2__ledger.sql}); what hosts make is entered here, with the lease that tells of it, and closed by
 * the release that follows its confirmed destroy or by an inventory without it. REST and the drift watch read it.
 */
public final class Ledger {

    /** In the order in which they are shown. */
    private static final List<String> KINDS = List.of(
            "reservation",
            "holding",
            "runner",
            "runner-token",
            "job-token",
            "vm",
            "disk",
            "namespace",
            "tap",
            "cgroup");
    /** What each boot of a real VM makes, all or nothing that lasts. */
    private static final List<String> OF_HOSTS = List.of("vm", "disk", "namespace", "tap", "cgroup");

    /**
     * The host's word is the last one, so an entry that was closed too early by a renewal that came late is opened again;
     * but a slot that was released in this epoch had its destroy confirmed after this inventory was made.
     */
    private static final String ENTER = """
            with told as (
                select slot_id, max(boots) as boots, bool_or(gone) as gone from (
                    select said ->> 'slotId' as slot_id, (said ->> 'bootNumber')::integer as boots, false as gone
                    from jsonb_array_elements(cast(:inventory as jsonb)) as said
                    union all
                    select said ->> 'slotId', (said ->> 'bootNumber')::integer, true
                    from jsonb_array_elements(cast(:destroyed as jsonb)) as said) as each
                group by slot_id),
            made as (
                select kind, told.slot_id, boot, coalesce(slot.claimed_by, slot.made_for) as job_key,
                    boot < told.boots or told.gone or (slot.released_at is not null and slot.epoch = :epoch) as gone
                from told join slot on slot.id = told.slot_id and slot.host_id = :host
                    cross join generate_series(1, told.boots) as boot cross join unnest(:kinds) as kind),
            entered as (
                insert into ledger (kind, slot_id, number, job_key, host_id, image, created_at, destroyed_at)
                select kind, slot_id, boot, job_key, :host, case when kind = 'vm' then :image end, :now,
                    case when gone then cast(:now as timestamptz) end
                from made
                on conflict (slot_id, kind, number) do update set destroyed_at = excluded.destroyed_at
                where (ledger.destroyed_at is null) <> (excluded.destroyed_at is null))
            update ledger set destroyed_at = :now
            where host_id = :host and destroyed_at is null and kind = any(:ofHosts)
                and slot_id not in (select slot_id from told)""";

    private static final String COUNTS = """
            select kinds.kind,
                count(*) filter (where created_at < :since and (destroyed_at is null or destroyed_at >= :since))
                    as before,
                count(*) filter (where created_at >= :since) as created,
                count(*) filter (where destroyed_at >= :since) as destroyed,
                count(*) filter (where slot_id is not null and destroyed_at is null) as live
            from unnest(:kinds) with ordinality as kinds (kind, place) left join ledger on ledger.kind = kinds.kind
            group by kinds.kind, kinds.place order by kinds.place""";

    private static final String LIVE = """
            select ledger.kind, ledger.slot_id, ledger.number, ledger.job_key, slot.owner, ledger.host_id,
                slot.epoch <> host.epoch as host_lost, ledger.created_at
            from ledger join slot on slot.id = ledger.slot_id join host on host.id = ledger.host_id
            where ledger.destroyed_at is null
            order by ledger.created_at, ledger.slot_id, array_position(:kinds, ledger.kind), ledger.number""";

    private static final String SLOTS_OF = """
            select held.slot_id, held.host_id, held.created_at as "from", held.destroyed_at as until,
                (select max(number) from ledger where slot_id = held.slot_id and kind = 'runner') as runner_id,
                (select image from ledger where slot_id = held.slot_id and kind = 'vm' order by number desc limit 1)
                    as image,
                (select count(*) from ledger where slot_id = held.slot_id and kind = 'vm') as vms,
                case when slot.claimed_by = held.job_key then slot.claimed_at end as claimed_at
            from ledger as held join slot on slot.id = held.slot_id
            where held.kind = 'holding' and held.job_key = :job order by held.number""";

    /** What lives by the tables themselves, beside what lives by the ledger; a row for each that is only in one. */
    private static final String UNLIKE_TABLES = """
            with kept (kind, slot_id, number) as (
                select 'reservation', id, 0 from slot where released_at is null
                union all select 'job-token', id, 0 from slot where job_token is not null
                union all select 'holding', slot_id, 0 from holding
                union all select 'runner', slot_id, runner_id from runner where removed_at is null
                union all select 'runner-token', slot_id, runner_id from runner where token is not null),
            entered (kind, slot_id, number) as (
                select kind, slot_id, case when kind = 'holding' then 0 else number end from ledger
                where destroyed_at is null and kind <> all(:ofHosts))
            select 'PostgreSQL' as source, 'the ledger has no entry of the ' || kind || ' of ' || slot_id as what
            from (select * from kept except all select * from entered) as missing
            union all
            select 'PostgreSQL', 'the ledger has an entry of the ' || kind || ' of ' || slot_id || ', which is gone'
            from (select * from entered except all select * from kept) as surplus
            order by 2""";

    /**
     * What a host's last inventory says otherwise, a row for each slot. A slot that was released or granted after it was
     * made, or is only just to be launched, is no difference.
     */
    private static final String UNLIKE_INVENTORIES = """
            select 'host ' || host.id as source, 'it still has ' || (said ->> 'slotId') || ' (' || (said ->> 'state') || '), which '
                || case when slot.id is null then 'is unknown' else 'was released' end as what
            from host cross join jsonb_array_elements(host.inventory) as said
                left join slot on slot.id = said ->> 'slotId' and slot.host_id = host.id
            where slot.id is null or slot.released_at < host.renewed_at
            union all
            select 'host ' || host.id, slot.id || ' has been granted for more than a minute, and nothing of it is there'
            from slot join host on host.id = slot.host_id
            where slot.released_at is null and slot.epoch = host.epoch
                and slot.created_at < host.renewed_at - interval '1 minute'
                and not exists (select from jsonb_array_elements(host.inventory) as said
                    where said ->> 'slotId' = slot.id)
            union all
            select 'host ' || host.id, ledger.slot_id || ' had ' || string_agg(ledger.kind, ', ' order by ledger.kind)
                || ' when it was LOST; its agent has not said yet that all is gone'
            from ledger join slot on slot.id = ledger.slot_id join host on host.id = ledger.host_id
            where ledger.destroyed_at is null and ledger.kind = any(:ofHosts) and slot.epoch <> host.epoch
            group by host.id, ledger.slot_id
            order by 1, 2""";

    private final Jdbi jdbi;

    public Ledger(Jdbi jdbi) {
        this.jdbi = jdbi;
    }

    /**
     * Within the transaction of a lease that is taken: its inventory is all that there is on the host.
     *
     * @param inventory the lease's, as JSON
     * @param destroyed the lease's, as JSON
     */
    public static void enter(Handle handle, LeaseRequest lease, String inventory, String destroyed, Instant now) {
        handle.createUpdate(ENTER)
                .bindArray("ofHosts", String.class, OF_HOSTS)
                .bind("host", lease.hostId())
                .bind("epoch", lease.epoch())
                .bind("inventory", inventory)
                .bind("destroyed", destroyed)
                .bindArray("kinds", String.class, made(lease.driver()))
                .bind("image", lease.image())
                .bind("now", now)
                .execute();
    }

    /** A simulated VM has nothing besides itself. */
    private static List<String> made(String driver) {
        return driver.equals("simulated") ? List.of("vm") : OF_HOSTS;
    }

    /** By kind. Counts from the beginning if {@code since} is null. */
    public List<LedgerCount> counts(@Nullable Instant since) {
        return jdbi.withHandle(handle -> handle.createQuery(COUNTS)
                .bindArray("kinds", String.class, KINDS)
                .bind("since", since == null ? Instant.EPOCH : since)
                .map(ConstructorMapper.of(LedgerCount.class))
                .list());
    }

    /** What lives, oldest first. */
    public List<LedgerEntry> live() {
        return jdbi.withHandle(handle -> handle.createQuery(LIVE)
                .bindArray("kinds", String.class, KINDS)
                .map(ConstructorMapper.of(LedgerEntry.class))
                .list());
    }

    /** Every slot that the job ever held, in order; what it holds or held last comes last. */
    public List<HeldSlot> slotsOf(JobKey job) {
        return jdbi.withHandle(handle -> handle.createQuery(SLOTS_OF)
                .bind("job", job.workflowId())
                .map(ConstructorMapper.of(HeldSlot.class))
                .list());
    }

    /** Where the ledger differs from the tables that it tells of; only a change by hand can make that so. */
    public List<Difference> unlikeTables() {
        return differences(UNLIKE_TABLES);
    }

    /** Where the hosts' last inventories differ from it. */
    public List<Difference> unlikeInventories() {
        return differences(UNLIKE_INVENTORIES);
    }

    private List<Difference> differences(String query) {
        return jdbi.withHandle(handle -> handle.createQuery(query)
                .bindArray("ofHosts", String.class, OF_HOSTS)
                .map(ConstructorMapper.of(Difference.class))
                .list());
    }
}
