-- Months that finance closes.

-- name: lock_alone
select pg_advisory_xact_lock(66)

-- name: set_period
-- Not before the month's newest entry, whose process may have had a clock ahead of ours: nobody
-- posts meanwhile, so what stands in the month was there before the lock.
insert into period (entity, period, state, changed_at, changed_by)
select x.entity, x.period, x.state, greatest(x.at, newest.at), x.by
from (values (%b::text, %b::text, %b::text, %b::timestamptz, %b::text))
     x (entity, period, state, at, by)
cross join lateral (
  select max(e.at) as at from entry e
  where e.entity = x.entity and e.posted_date >= to_date(x.period, 'YYYY-MM')
    and e.posted_date < to_date(x.period, 'YYYY-MM') + interval '1 month'
) newest
on conflict (entity, period)
do update set state = excluded.state, changed_at = excluded.changed_at, changed_by = excluded.changed_by

-- name: list_periods
select entity, period, state from period order by entity, period

-- name: state_of
select state from period where entity = %b and period = %b

-- name: admit
insert into period_admission (entity, period, key, reason, admitted_by, admitted_at)
values (%b, %b, %b, %b, %b, %b) on conflict (entity, period, key) do nothing

-- name: end_admissions
delete from period_admission where entity = %b and period = %b
