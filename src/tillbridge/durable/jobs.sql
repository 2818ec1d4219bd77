-- Outbound: the key is scheduled, leased, fenced and kept in order; claim first, jobs second.

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

-- name: claim
-- until0..3: what fell due by then may go in that class
with pick as materialized (
  select dest, key from (
    select * from (
      select dest, key from outkey
      where dest = %(dest)s and prio = 0 and due <= %(until0)s and lease_until is null
      order by due limit %(limit)s for update skip locked) a
    union all select * from (
      select dest, key from outkey
      where dest = %(dest)s and prio = 1 and due <= %(until1)s and lease_until is null
      order by due limit %(limit)s for update skip locked) b
    union all select * from (
      select dest, key from outkey
      where dest = %(dest)s and prio = 2 and due <= %(until2)s and lease_until is null
      order by due limit %(limit)s for update skip locked) c
    union all select * from (
      select dest, key from outkey
      where dest = %(dest)s and prio = 3 and due <= %(until3)s and lease_until is null
      order by due limit %(limit)s for update skip locked) d) k
  limit %(limit)s
)
update outkey o
set lease_until = %(now)s::timestamptz + %(lease)s::interval, token = nextval('fence'),
    attempts = attempts + 1, opens = null
from pick where (o.dest, o.key) = (pick.dest, pick.key)
returning o.key, o.token, o.attempts, o.unknown, o.prio

-- name: heads
select x.key, x.token, x.attempts, x.unknown, j.id, j.op, j.type, j.trace, j.body,
       j.version, x.prio
from unnest(%b::text[], %b::bigint[], %b::int[], %b::bool[], %b::smallint[])
     x (key, token, attempts, unknown, prio)
cross join lateral (
  select * from job where dest = %b and key = x.key order by id limit 1
) j

-- name: of_kinds
select op from document where dest = %b and op = any(%b::text[]) and kind = any(%b::text[])

-- name: set_aside
update outkey o
set lease_until = null, token = null, due = 'infinity', attempts = greatest(o.attempts - 1, 0),
    paused = d.kind
from unnest(%b::text[], %b::bigint[], %b::text[]) x (key, token, op), document d
where o.dest = %b and o.key = x.key and o.token = x.token and d.dest = o.dest and d.op = x.op

-- name: wait_for_window
update outkey o
set lease_until = null, token = null, due = %b, opens = %b, attempts = greatest(o.attempts - 1, 0)
from unnest(%b::text[], %b::bigint[]) x (key, token)
where o.dest = %b and o.key = x.key and o.token = x.token

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

-- name: waiting
select d.name, count(o.key), coalesce(sum(o.n), 0)::bigint, min(o.due) filter (where o.due < 'infinity'),
       a.open_until, a.failures, a.name,
       coalesce(sum(o.n) filter (where o.opens > %(now)s), 0)::bigint,
       min(o.opens) filter (where o.opens > %(now)s)
from dest d join dest a on a.dest = coalesce(d.account, d.dest) left join outkey o on o.dest = d.dest
group by d.dest, d.name, a.open_until, a.failures, a.name
order by d.name

-- name: next_due
-- When a call could be made: a key is due, the breaker lets one through, the bucket has a token.
select greatest(min(o.due), a.open_until, a.at + (1 - least(a.tokens, 1)) / a.rate * interval '1 s')
from outkey o join dest d on d.dest = o.dest join dest a on a.dest = coalesce(d.account, d.dest)
where o.dest = %b and o.lease_until is null and o.due < 'infinity'
  and not exists (select from pause p where p.connection = d.name and p.kind = '')
group by a.open_until, a.at, a.tokens, a.rate
