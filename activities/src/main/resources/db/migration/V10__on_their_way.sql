-- Pending jobs whose workflow has not asked for a slot yet; dev.mayfly.activities.jobs.Jobs#onTheirWay counts the new ones.
create index job_on_its_way on job (seen_at) where queued_at is null and finished_at is null;
