-- Jobs that ended long ago are forgotten, and what was made for them; dev.mayfly.activities.jobs.Retention.
create index job_finished on job (finished_at) where finished_at is not null;
create index slot_made_for on slot (made_for);

-- What its agent measures, as it came with the last lease; in dev.mayfly.workflows.agentapi.AgentApi.HostFigures' words.
alter table host add column figures jsonb;

-- A host that could not run a VM gets none for a while if there are others like it.
alter table host
    add column avoided_until   timestamptz,
    add column avoided_because text;
