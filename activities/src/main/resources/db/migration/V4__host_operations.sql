-- What operators order hosts to do, and what agents tell of the machine beneath.

alter table host
    -- takes no new VMs since then: an operator said so
    add column draining_since      timestamptz,
    -- the boot during which a reboot was ordered; another boot fulfils it
    add column reboot_of           text,
    -- of the machine's kernel, and the one before: a boot that is over never calls again
    add column boot_id             text,
    add column previous_boot_id    text,
    add column clock_ahead_millis  bigint not null default 0,
    -- its agent is older than agents.minimumVersion
    add column outdated            boolean not null default false,
    -- an operator removed it; until its agent calls again it is shown nowhere
    add column forgotten_at        timestamptz;

-- Whether it may be given slots.
alter table host add column accepting boolean not null
    generated always as (state = 'READY' and draining_since is null and not outdated) stored;
