-- Slots that wait for their job; dev.mayfly.activities.capacity.Dispatcher lets only so many be at once.
create index slot_starting on slot (created_at) where claimed_at is null and released_at is null;
