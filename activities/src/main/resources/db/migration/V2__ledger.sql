-- The conservation ledger: what was ever made for a slot, and when it was gone. What PostgreSQL itself keeps is entered
-- by triggers: in the transaction of the deed, without a round trip, by whichever statement it is done. What hosts make
-- is entered with their leases (dev.mayfly.activities.ledger.Ledger); a release closes it, since it follows a confirmed
-- destroy. docs/decisions/012-the-ledger.md says what is true after crashes.

create table ledger (
    kind         text not null check (kind in ('reservation', 'holding', 'runner', 'runner-token', 'job-token',
        'vm', 'disk', 'namespace', 'tap', 'cgroup')),
    slot_id      text not null,
    -- of a host's things the VM's boot, of a runner GitLab's number, of a holding its place in time; else 0
    number       bigint not null,
    -- for whom it was made
    job_key      text not null,
    host_id      text not null,
    -- of a VM: what it was started from
    image        text,
    created_at   timestamptz not null,
    destroyed_at timestamptz,
    primary key (slot_id, kind, number)
);
create index ledger_live on ledger (host_id) where destroyed_at is null;
create index ledger_of_job on ledger (job_key) where kind = 'holding';

-- ---- slots: the reservation, and the claimed job's token

create function ledger_slot_made() returns trigger language plpgsql as $$
begin
    insert into ledger (kind, slot_id, number, job_key, host_id, created_at)
        values ('reservation', new.id, 0, new.made_for, new.host_id, new.created_at);
    return null;
end $$;
create trigger ledger_slot_made after insert on slot for each row execute function ledger_slot_made();

create function ledger_slot_claimed() returns trigger language plpgsql as $$
begin
    insert into ledger (kind, slot_id, number, job_key, host_id, created_at)
        values ('job-token', new.id, 0, new.claimed_by, new.host_id, new.claimed_at);
    return null;
end $$;
create trigger ledger_slot_claimed after update of job_token on slot for each row
    when (old.job_token is null and new.job_token is not null) execute function ledger_slot_claimed();

-- In the host's own epoch a release follows a confirmed destroy. Of a LOST host only its next inventory tells.
create function ledger_slot_released() returns trigger language plpgsql as $$
begin
    update ledger set destroyed_at = new.released_at
        where slot_id = new.id and destroyed_at is null
            and (kind in ('reservation', 'job-token')
                or kind in ('vm', 'disk', 'namespace', 'tap', 'cgroup')
                    and new.epoch = (select epoch from host where host.id = new.host_id));
    return null;
end $$;
create trigger ledger_slot_released after update of released_at on slot for each row
    when (old.released_at is null and new.released_at is not null) execute function ledger_slot_released();

-- ---- holdings: which job had which slot when

create function ledger_held() returns trigger language plpgsql as $$
begin
    insert into ledger (kind, slot_id, number, job_key, host_id, created_at)
        select 'holding', slot.id, nextval('generation'), new.job_key, slot.host_id, now()
        from slot where slot.id = new.slot_id;
    return null;
end $$;
create trigger ledger_held after insert on holding for each row execute function ledger_held();

create function ledger_not_held() returns trigger language plpgsql as $$
begin
    update ledger set destroyed_at = now()
        where slot_id = old.slot_id and kind = 'holding' and destroyed_at is null;
    return null;
end $$;
create trigger ledger_not_held after delete on holding for each row execute function ledger_not_held();

-- ---- runners in GitLab, and their tokens

create function ledger_runner_made() returns trigger language plpgsql as $$
begin
    insert into ledger (kind, slot_id, number, job_key, host_id, created_at)
        select kind, slot.id, new.runner_id, coalesce(slot.claimed_by, slot.made_for), slot.host_id, new.created_at
        from slot cross join unnest(array['runner', 'runner-token']) as kind where slot.id = new.slot_id;
    return null;
end $$;
create trigger ledger_runner_made after insert on runner for each row execute function ledger_runner_made();

create function ledger_runner_gone() returns trigger language plpgsql as $$
begin
    update ledger set destroyed_at = coalesce(new.removed_at, now())
        where slot_id = old.slot_id and number = old.runner_id and kind in ('runner', 'runner-token')
            and destroyed_at is null;
    return null;
end $$;
create trigger ledger_runner_gone after update of removed_at or delete on runner for each row
    execute function ledger_runner_gone();

-- ---- what was there before the ledger; of what hosts have their next leases tell

insert into ledger (kind, slot_id, number, job_key, host_id, created_at, destroyed_at)
    select 'reservation', id, 0, made_for, host_id, created_at, released_at from slot
    union all
    select 'job-token', id, 0, claimed_by, host_id, claimed_at, released_at from slot where claimed_by is not null
    union all
    select 'holding', slot.id, slot.generation, job_key, host_id, created_at, null
    from holding join slot on slot.id = holding.slot_id
    union all
    select kind, slot.id, runner_id, made_for, host_id, runner.created_at, removed_at
    from runner join slot on slot.id = runner.slot_id cross join unnest(array['runner', 'runner-token']) as kind;
