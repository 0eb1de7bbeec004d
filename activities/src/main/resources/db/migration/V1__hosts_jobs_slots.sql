-- The control plane's schema. Constraints guard what must never be true; the transactions' rules stand in
-- dev.mayfly.activities.capacity.Holdings.

create table installation (
    one_row               boolean primary key default true check (one_row),
    id                    text not null check (id ~ '^[a-z0-9]{5}$'),
    temporal_namespace_id text,
    -- when a control plane last counted the hosts' silence
    ticked_at             timestamptz
);

-- Slots get fresh names, so that no retry ever meets an old tombstone.
create sequence slot_number as integer maxvalue 9999999;

-- Rises with every change of who holds or owns what.
create sequence generation;

create table host (
    id              text primary key check (id ~ '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$'),
    state           text not null check (state in ('READY', 'SUSPECT', 'LOST')),
    epoch           bigint not null check (epoch > 0),
    arch            text not null,
    driver          text not null,
    agent_version   text not null,
    milli_cpus      integer not null check (milli_cpus >= 0),
    memory_mib      integer not null check (memory_mib >= 0),
    disk_mib        integer not null check (disk_mib >= 0),
    used_milli_cpus integer not null default 0 check (used_milli_cpus >= 0),
    used_memory_mib integer not null default 0 check (used_memory_mib >= 0),
    used_disk_mib   integer not null default 0 check (used_disk_mib >= 0),
    -- the agent was configured smaller while its slots were in use
    shrunk          boolean not null default false,
    silent_millis   bigint not null default 0 check (silent_millis >= 0),
    registered_at   timestamptz not null,
    renewed_at      timestamptz not null,
    inventory       jsonb not null default '[]',
    constraint host_free check (shrunk or (used_milli_cpus <= milli_cpus and used_memory_mib <= memory_mib
        and used_disk_mib <= disk_mib))
);

create table job (
    key            text primary key,
    instance       text not null,
    project_id     bigint not null,
    job_id         bigint not null,
    project_path   text not null,
    name           text not null,
    stage          text not null,
    ref            text not null,
    sha            text not null,
    pipeline_id    bigint not null,
    web_url        text not null,
    user_name      text not null,
    tags           text[] not null,
    milli_cpus     integer,
    memory_mib     integer,
    disk_mib       integer,
    executor       text not null check (executor in ('SHELL', 'DOCKER')),
    -- GitLab's word, and how far in a job's life that is: it never goes back
    status         text not null,
    status_rank    smallint not null,
    phase          text,
    refusal        text,
    outcome        text,
    outcome_slot   text,
    outcome_detail text,
    slot_id        text,
    seen_at        timestamptz not null,
    queued_at      timestamptz,
    launched_at    timestamptz,
    claimed_at     timestamptz,
    started_at     timestamptz,
    finished_at    timestamptz,
    -- the job wants no slot any more: from then on it is given slots only to dismantle
    left_at        timestamptz,
    unique (instance, job_id),
    constraint job_size check (num_nulls(milli_cpus, memory_mib, disk_mib) in (0, 3))
);
create index job_by_seen on job (seen_at desc, key desc);
create index job_by_job_id on job (job_id);
create index job_unfinished on job (seen_at) where finished_at is null;

-- One row per job that waits or may have to wait again, at its place for as long as it has not left.
create table queue (
    job_key text primary key references job,
    place   bigint generated always as identity,
    waiting boolean not null
);
create index queue_waiting on queue (place) where waiting;

create table slot (
    id          text primary key check (id ~ '^[a-z0-9]{5}-[0-9]{1,7}$'),
    host_id     text not null references host,
    epoch       bigint not null,
    milli_cpus  integer not null check (milli_cpus > 0),
    memory_mib  integer not null check (memory_mib > 0),
    disk_mib    integer not null check (disk_mib >= 0),
    made_for    text not null references job,
    -- who dismantles it: a job's key, or 'sweeper'; exactly one until it is released
    owner       text,
    claimed_by  text unique references job,
    -- the claimed job's own token, sealed: with it the control plane can speak for the job if the host is lost
    job_token   bytea,
    generation  bigint not null default nextval('generation'),
    created_at  timestamptz not null,
    claimed_at  timestamptz,
    released_at timestamptz,
    released_by text,
    unique (id, owner),
    constraint slot_owned_until_released check ((owner is null) = (released_at is not null)),
    constraint slot_keeps_no_token check (released_at is null or job_token is null)
);
create index slot_by_owner on slot (owner) where released_at is null;
create index slot_by_host on slot (host_id) where released_at is null;

-- Which job holds which slot: at most one each way, and who holds a slot owns it. Hence a held slot is never released.
create table holding (
    job_key text primary key references job,
    slot_id text not null unique,
    constraint holder_owns foreign key (slot_id, job_key) references slot (id, owner) deferrable initially deferred
);

create table runner (
    slot_id    text primary key references slot,
    instance   text not null,
    project_id bigint not null,
    runner_id  bigint not null,
    tags       text[] not null,
    token      bytea,
    -- whoever fetched the token first; nobody else gets it
    nonce      text,
    created_at timestamptz not null,
    removed_at timestamptz,
    unique (instance, runner_id),
    constraint runner_keeps_no_token check (removed_at is null or token is null)
);
create index runner_left on runner (created_at) where removed_at is null;

create table inbox (
    id           bigint generated always as identity primary key,
    instance     text not null,
    delivery_key text not null,
    body         bytea not null,
    headers      jsonb not null,
    received_at  timestamptz not null,
    attempts     integer not null default 0,
    due_at       timestamptz not null,
    handled_at   timestamptz,
    last_error   text,
    unique (instance, delivery_key)
);
create index inbox_due on inbox (due_at) where handled_at is null;
create index inbox_handled on inbox (handled_at) where handled_at is not null;

create table outbox (
    id           bigint generated always as identity primary key,
    workflow_id  text not null,
    signal       text not null,
    payload      jsonb not null,
    created_at   timestamptz not null,
    attempts     integer not null default 0,
    due_at       timestamptz not null,
    delivered_at timestamptz,
    last_error   text
);
create index outbox_due on outbox (due_at, id) where delivered_at is null;
create index outbox_delivered on outbox (delivered_at) where delivered_at is not null;
