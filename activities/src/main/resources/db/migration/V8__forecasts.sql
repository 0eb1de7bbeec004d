-- How long jobs were guessed to wait, and did; dev.mayfly.activities.capacity.Forecasts.
create table forecast (
    job_key       text primary key references job,
    made_at       timestamptz      not null,
    guess_seconds double precision not null,
    -- when the job got a slot; null while it waits
    granted_at    timestamptz
);
create index forecast_granted on forecast (granted_at desc) where granted_at is not null;
create index forecast_open on forecast (made_at) where granted_at is null;
create index slot_released on slot (released_at desc) where released_at is not null;
