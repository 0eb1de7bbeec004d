-- Runners that stand in for those of queued jobs; dev.mayfly.activities.gitlab.StandInRunners says why.
create table stand_in_runner (
    instance   text        not null,
    project_id bigint      not null,
    tags       text[]      not null,
    runner_id  bigint      not null,
    made_at    timestamptz not null,
    primary key (instance, project_id, tags)
);
