-- Parking: the unit is (room, key).

-- name: parked_among
select room, key from parked_key where key = any(%b::text[])

-- name: park_keys
insert into parked_key (room, key, consumer, lane, case_id, ready)
select r, k, %b::text, l, c, false
from unnest(%b::text[], %b::text[], %b::smallint[], %b::bigint[]) x (r, k, l, c)
on conflict (room, key) do update set case_id = excluded.case_id, ready = false

-- name: park_records
insert into parked (room, key, id, type, version, trace, cause, body)
select r, k, i, t, v, tr, c, b
from unnest(%b::text[], %b::text[], %b::bigint[], %b::text[], %b::smallint[], %b::bytea[],
            %b::bigint[], %b::bytea[]) with ordinality x (r, k, i, t, v, tr, c, b, o)
order by o

-- name: ready_keys
-- locked, so that nobody gives up by hand what is being replayed; who does so now is passed by
select room, key from parked_key
where consumer = %b and lane = any(%b::smallint[]) and ready
order by room, key limit %b
for no key update skip locked

-- name: parked_records
select p.room, p.key, p.n, p.id, p.type, p.version, p.trace, p.cause, p.body
from unnest(%b::text[], %b::text[]) x (room, key)
cross join lateral (
  select * from parked where room = x.room and key = x.key order by n limit %b
) p
order by p.n

-- name: parked_by
select k.case_id, p.room, p.key, p.n, p.id, p.type, p.version, p.trace, p.cause, p.body
from unnest(%b::bigint[]) with ordinality x (case_id, o)
join parked_key k on k.case_id = x.case_id
cross join lateral (
  select * from parked where room = k.room and key = k.key order by n limit %b
) p
order by x.o, p.n
limit %b

-- name: unpark_records
delete from parked p using unnest(%b::text[], %b::text[], %b::bigint[]) x (room, key, n)
where p.room = x.room and p.key = x.key and p.n = x.n

-- name: unpark_empty_keys
delete from parked_key k using unnest(%b::text[], %b::text[]) x (room, key)
where k.room = x.room and k.key = x.key
  and not exists (select 1 from parked p where p.room = k.room and p.key = k.key)

-- name: make_ready
update parked_key set ready = true where case_id = any(%b::bigint[])

-- name: open_cases
insert into exception_case as c
  (reason, owner, room, key, fingerprint, words, remedy, amount, currency, details, record_type,
   message, due_at)
select re, ow, ro, ke, fi, wo, rm, am, cu, de::jsonb, rt, me,
  now() + make_interval(days => coalesce((de::jsonb ->> 'due_days')::int, 1))
from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
            %b::bigint[], %b::text[], %b::text[], %b::text[], %b::bigint[])
     x (re, ow, ro, ke, fi, wo, rm, am, cu, de, rt, me)
on conflict (fingerprint) where state = 'open'
do update set copies = c.copies + 1, words = excluded.words, details = excluded.details,
              remedy = excluded.remedy
returning id, fingerprint

-- name: close_cases
update exception_case
set state = 'resolved', resolved_at = now(), resolved_by = %b, resolution = %b
where id = any(%b::bigint[]) and state = 'open'

-- name: settle
update exception_case c
set state = 'resolved', resolved_at = now(), resolved_by = 'hub',
    resolution = 'what was told since leaves no ground for it'
from unnest(%b::text[], %b::text[], %b::text[]) x (room, key, reason)
where c.key = x.key and c.room = x.room and c.reason = x.reason and c.state = 'open'

-- name: parked_cases
select case_id from parked_key k join unnest(%b::text[], %b::text[]) x (room, key)
  on k.room = x.room and k.key = x.key
