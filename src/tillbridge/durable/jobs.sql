-- Outbound: the key is scheduled, leased, fenced and kept in order; claim first, jobs second.

-- name: make_dest
insert into dest (name, rate, burst, conc, tokens)
values (%b, %b::float8, %b::float8, %b::int, %b::float8)
on conflict (name) do update
set rate = excluded.rate, burst = excluded.burst, conc = excluded.conc
returning dest

-- name: dests
select dest, name from dest

-- name: own_documents
insert into document (dest, op, key, kind, state, total, day)
select d, o, k, kind, 'owed', t, day
from unnest(%b::smallint[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::date[])
     x (d, o, k, kind, t, day)
on conflict (dest, op) do nothing
returning dest, op

-- name: add_jobs
insert into job (dest, key, op, type, version, trace, body)
select d, k, o, ty, v, tr, b
from unnest(%b::smallint[], %b::text[], %b::text[], %b::text[], %b::smallint[], %b::bytea[],
            %b::bytea[]) with ordinality x (d, k, o, ty, v, tr, b, n)
order by n

-- name: add_outkeys
insert into outkey (dest, key, prio, due, n)
select d, k, p, %b::timestamptz, n
from unnest(%b::smallint[], %b::text[], %b::smallint[], %b::int[]) x (d, k, p, n)
order by d, k
on conflict (dest, key) do update
set n = outkey.n + excluded.n, prio = least(outkey.prio, excluded.prio)

-- name: notify
notify jobs

-- name: lock_dest
-- A statement of its own: claimers take turns, and `claim` counts leases in a snapshot taken after
-- the one before has committed. Counted in the statement that waits, its leases would be missed.
select set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true),
       set_config('enable_seqscan', 'off', true)
from dest where dest = %b for update

-- name: claim
-- a clock that is behind the one of the last claim refills nothing, and takes nothing away
with d as materialized (
  select dest, conc, failures,
         least(burst, tokens + rate * greatest(0, extract(epoch from %(now)s::timestamptz - at))) t
  from dest
  where dest = %(dest)s and not paused and (open_until is null or open_until <= %(now)s)
  for update
), room as materialized (
  select d.*, greatest(0, least(
    floor(least(t, %(limit)s::int))::int,
    conc - (select count(*)::int from outkey o
            where o.dest = d.dest and lease_until is not null),
    case when failures > 0 then 1 else %(limit)s::int end)) n
  from d
), pick as materialized (
  select k.dest, k.key from room cross join lateral (
    select * from (
      select dest, key from outkey
      where dest = room.dest and prio = 0 and due <= %(now)s and lease_until is null
      order by due limit room.n for update skip locked) a
    union all select * from (
      select dest, key from outkey
      where dest = room.dest and prio = 1 and due <= %(now)s and lease_until is null
      order by due limit room.n for update skip locked) b
    union all select * from (
      select dest, key from outkey
      where dest = room.dest and prio = 2 and due <= %(now)s and lease_until is null
      order by due limit room.n for update skip locked) c
    limit room.n) k
), u as (
  update outkey o
  set lease_until = %(now)s + %(lease)s::interval, token = nextval('fence'),
      attempts = attempts + 1
  from pick where (o.dest, o.key) = (pick.dest, pick.key)
  returning o.key, o.token, o.attempts, o.unknown
), t as (
  update dest set tokens = room.t - (select count(*) from u), at = greatest(dest.at, %(now)s)
  from room where dest.dest = room.dest and exists (select 1 from u)
)
select key, token, attempts, unknown from u

-- name: heads
select x.key, x.token, x.attempts, x.unknown, j.id, j.op, j.type, j.trace, j.body,
       j.version
from unnest(%b::text[], %b::bigint[], %b::int[], %b::bool[]) x (key, token, attempts, unknown)
cross join lateral (
  select * from job where dest = %b and key = x.key order by id limit 1
) j

-- name: mark_sent
update document d set state = 'sent' from unnest(%b::text[]) x (op)
where d.dest = %b and d.op = x.op and d.state in ('owed', 'unknown', 'sent')

-- name: lock_outkeys
select 1 from outkey where dest = %b and key = any(%b::text[]) order by key for update

-- name: finish
with mine as (
  update outkey o
  set lease_until = null, token = null, attempts = 0, unknown = false, n = n - 1, due = %b
  from unnest(%b::text[], %b::bigint[]) x (key, token)
  where o.dest = %b and o.key = x.key and o.token = x.token
  returning o.key
)
select key from mine

-- name: delete_jobs
delete from job where id = any(%b::bigint[])

-- name: delete_empty_outkeys
delete from outkey where dest = %b and key = any(%b::text[]) and n <= 0

-- name: answer_documents
update document d
set state = x.s, remote_id = x.r, number = x.n, move = x.m, move_total = x.mt, answered_at = %b
from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[])
     x (op, s, r, n, m, mt)
where d.dest = %b and d.op = x.op

-- name: postpone
with mine as (
  update outkey o
  set lease_until = null, token = null, unknown = o.unknown or x.u, due = x.d,
      attempts = case when x.free then greatest(o.attempts - 1, 0) else o.attempts end
  from unnest(%b::text[], %b::bigint[], %b::bool[], %b::timestamptz[], %b::bool[])
       x (key, token, u, d, free)
  where o.dest = %b and o.key = x.key and o.token = x.token
  returning o.key
)
select key from mine

-- name: breaker_open
update dest set failures = failures + 1, open_until = %b where dest = %b returning failures

-- name: breaker_close
update dest set failures = 0, open_until = null where dest = %b and failures > 0

-- name: sweep_leases
update outkey set lease_until = null, token = null, unknown = true
where lease_until < %b
returning dest, key

-- name: waiting
select d.name, count(o.key), coalesce(sum(o.n), 0)::bigint, min(o.due) filter (where o.due < 'infinity'),
       d.open_until, d.failures, d.paused
from dest d left join outkey o on o.dest = d.dest
group by d.dest, d.name, d.open_until, d.failures, d.paused
order by d.name

-- name: next_due
select min(greatest(o.due, coalesce(d.open_until, o.due))) from outkey o join dest d using (dest)
where o.dest = %b and o.lease_until is null and not d.paused and o.due < 'infinity'
