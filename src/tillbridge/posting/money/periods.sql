-- Months that finance locks.

-- name: lock_alone
select pg_advisory_xact_lock(66)

-- name: set_period
insert into period (entity, period, state, changed_at, changed_by)
values (%b, %b, %b, %b, %b)
on conflict (entity, period)
do update set state = excluded.state, changed_at = excluded.changed_at, changed_by = excluded.changed_by

-- name: list_periods
select entity, period, state from period order by entity, period

-- name: state_of
select state from period where entity = %b and period = %b
