-- Labels of hosts, and which of them a job asks for; dev.mayfly.workflows.job.HostLabels.

alter table job add column labels text[] not null default '{}';

alter table host
    drop column labels,
    -- by its agent.yml
    add column own_labels   text[] not null default '{}',
    -- by operators
    add column given_labels text[] not null default '{}';
alter table host add column labels text[] not null generated always as (own_labels || given_labels) stored;
