-- Exception cases as people work on them.

-- name: list
select c.id, c.reason, c.owner, c.room, c.key, c.state, c.words, c.remedy, c.amount, c.currency,
       c.copies, c.opened_at, c.due_at,
       (select count(*) from parked p join parked_key k using (room, key) where k.case_id = c.id)
from exception_case c
where (%(state)s = '' or c.state = %(state)s) and (%(owner)s = '' or c.owner = %(owner)s)
  and (%(reason)s = '' or c.reason = %(reason)s) and (%(key)s = '' or c.key = %(key)s)
order by c.id
limit %(limit)s

-- name: one
select c.id, c.reason, c.owner, c.room, c.key, c.state, c.words, c.remedy, c.amount, c.currency,
       c.copies, c.opened_at, c.due_at,
       (select count(*) from parked p join parked_key k using (room, key) where k.case_id = c.id),
       c.details, c.record_type, c.message, c.resolved_at, c.resolved_by, c.resolution
from exception_case c where c.id = %(id)s

-- name: parked_of
select p.type, p.version, p.body from parked p join parked_key k using (room, key)
where k.case_id = %(id)s order by p.n limit 20

-- name: counts
select reason, owner, count(*), coalesce(sum(copies), 0)::bigint, min(opened_at)
from exception_case where state = 'open' group by reason, owner order by count(*) desc, reason

-- name: make_ready
with chosen as (
  select room, key from parked_key where case_id = any(%b::bigint[]) order by room, key for update
)
update parked_key k set ready = true from chosen c where k.room = c.room and k.key = c.key

-- name: hold_keys
select 1 from parked_key where case_id = %b order by room, key for update

-- name: drop_heads
-- only the record the case is about: those behind it may be good, and are tried on their own
delete from parked p using (
  select k.room, k.key, min(p.n) n from parked_key k join parked p using (room, key)
  where k.case_id = %b group by k.room, k.key
) h
where p.room = h.room and p.key = h.key and p.n = h.n
returning p.room, p.key

-- name: drop_empty_keys
delete from parked_key k
where k.case_id = %b
  and not exists (select 1 from parked p where p.room = k.room and p.key = k.key)

-- name: let_go
update parked_key set ready = true where case_id = %b

-- name: close
update exception_case set state = 'resolved', resolved_at = now(), resolved_by = %b,
  resolution = %b
where id = %b and state = 'open'

-- name: give_up
update exception_case set given_up = true where id = %b and state = 'open'

-- name: held
select c.id, c.state, c.reason, c.key, c.details,
       (select count(*) from parked_key k where k.case_id = c.id)
from exception_case c where c.id = any(%b::bigint[]) order by c.id

-- name: close_all
update exception_case set state = 'resolved', resolved_at = now(), resolved_by = %b,
  resolution = %b
where id = any(%b::bigint[]) and state = 'open'

-- name: owe_again
update document d set state = 'unknown'
from unnest(%b::text[], %b::text[]) x (dest, op) join dest t on t.name = x.dest
where t.dest = d.dest and d.op = x.op and d.state = 'refused'

-- name: due_now
update outkey o set due = now(), attempts = 0, unknown = true
from unnest(%b::text[], %b::text[]) x (dest, key) join dest t on t.name = x.dest
where t.dest = o.dest and o.key = x.key and o.lease_until is null

-- name: drop_job
with gone as (
  delete from job j using dest t
  where t.dest = j.dest and t.name = %(dest)s and j.op = %(op)s
  returning j.dest, j.key
), less as (
  update outkey o set n = o.n - 1, due = now() from gone g
  where o.dest = g.dest and o.key = g.key
  returning o.dest, o.key
)
update document d set state = 'dropped' from dest t
where t.dest = d.dest and t.name = %(dest)s and d.op = %(op)s

-- name: drop_empty_outkeys
delete from outkey where n <= 0
