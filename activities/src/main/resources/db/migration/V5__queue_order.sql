-- The queue's order and what placement needs to know; dev.mayfly.activities.placement.Order and Placement say why.

alter table queue
    -- whose turn it is: instance and project
    add column project         text,
    add column priority        integer not null default 0,
    -- what a grant costs the project, in virtual time
    add column charge          double precision not null default 1,
    -- when it starts in virtual time; null until a dispatcher has seen it, who alone sets it: so no two jobs of a
    -- project that are queued at once start at once
    add column start           double precision,
    add column aged            boolean not null default false,
    -- grants past it while it was a head
    add column passed          integer not null default 0,
    add column expected_millis bigint;
update queue set project = (select instance || ':' || project_id from job where job.key = queue.job_key);
alter table queue
    alter column project set not null,
    -- both together are the order, before place
    add column level integer not null generated always as
        (case when aged then -2147483648 else -priority end) stored,
    add column rank  double precision generated always as (case when aged then 0 else start end) stored;

drop index queue_waiting;
create index queue_waiting on queue (level, rank, place) where waiting;
create index queue_oldest on queue (place) where waiting and not aged;
create index queue_fresh on queue (place) where start is null;
create index queue_of_project on queue (project, priority, start) where waiting;

-- Where a project's last granted job finishes, in virtual time; a project without one has had nothing.
create table project_share (
    project  text not null,
    priority integer not null,
    finish   double precision not null,
    primary key (project, priority)
);

-- The latest start of those that were granted in order.
create table virtual_clock (
    priority integer primary key,
    time     double precision not null
);

create table promotion (
    one_row boolean primary key default true check (one_row),
    -- grants since the longest waiting was promoted last
    grants  integer not null default 0
);
insert into promotion default values;

alter table slot add column expected_end timestamptz;
create index slot_expected on slot (host_id) where released_at is null and expected_end is not null;

-- How long a job's like took lately.
create index job_history on job (instance, project_id, name, finished_at desc) where outcome = 'SUCCEEDED';

alter table host
    add column labels text[] not null default '{}',
    -- CPUs may be promised more than once: whoever reserves them checks how often.
    drop constraint host_free,
    add constraint host_free check (shrunk or (used_memory_mib <= memory_mib and used_disk_mib <= disk_mib));

-- A pass makes many slots in one statement: their entries in the ledger are made in one, too.

drop trigger ledger_slot_made on slot;
create or replace function ledger_slot_made() returns trigger language plpgsql as $$
begin
    insert into ledger (kind, slot_id, number, job_key, host_id, created_at)
        select 'reservation', id, 0, made_for, host_id, created_at from made;
    return null;
end $$;
create trigger ledger_slot_made after insert on slot referencing new table as made
    for each statement execute function ledger_slot_made();

drop trigger ledger_held on holding;
create or replace function ledger_held() returns trigger language plpgsql as $$
begin
    insert into ledger (kind, slot_id, number, job_key, host_id, created_at)
        select 'holding', slot.id, nextval('generation'), held.job_key, slot.host_id, now()
        from held join slot on slot.id = held.slot_id;
    return null;
end $$;
create trigger ledger_held after insert on holding referencing new table as held
    for each statement execute function ledger_held();
