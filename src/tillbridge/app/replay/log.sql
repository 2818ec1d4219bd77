-- Reading the log in the order of its numbers, and what a replay writes beside the rooms' effects.

-- name: span
-- by lane, because the index is; put in order by the reader
select id, lane, key, type, version, fused, trace, cause, body from record
where lane = any(%b::smallint[]) and id > %b and id <= %b
order by id

-- name: pending_at
-- told before a checkpoint, taken after it
select r.id, r.lane, r.key, r.type, r.version, r.fused, r.trace, r.cause, r.body
from unnest(%b::smallint[], %b::bigint[]) c (lane, pos)
join record r on r.lane = c.lane and r.id > c.pos and r.id <= %b and not r.fused
order by r.id

-- name: parkings
select id, version, body from record where type = 'RecordParked' and id > %b and id <= %b

-- name: top
select coalesce(max(id), 0), (select log_told_from from hub), (select incarnation from hub)
from record

-- name: lowest
select coalesce(min(id), 0) from record

-- name: cursors
select lane, pos from cursor where consumer = 'flow'

-- name: give_names
insert into xref (connection, kind, theirs, ours)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[])
on conflict (connection, kind, theirs) do update set ours = excluded.ours

-- name: names
select connection, kind, theirs, ours from xref

-- name: set_period
insert into period (entity, period, state, changed_at, changed_by) values (%b, %b, %b, now(), '')
on conflict (entity, period) do update set state = excluded.state

-- name: end_admissions
delete from period_admission where entity = %b and period = %b

-- name: admit
insert into period_admission (entity, period, key, reason, admitted_by, admitted_at)
values (%b, %b, %b, '', '', now()) on conflict (entity, period, key) do nothing

-- name: set_availability_rules
insert into availability_rules (hash, text, activated_by) values (%b, %b, '')

-- name: sum_journal
with taken as (
  delete from journal_pending where entry = any(%b::text[]) returning entry
)
insert into journal_summary (op, entry) select distinct %b::text, entry from taken
on conflict do nothing

-- name: answer
update document d
set state = x.s, remote_id = x.r, number = x.n, move = x.m, move_total = x.mt
from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[])
     x (dest, op, s, r, n, m, mt)
join dest t on t.name = x.dest
where d.dest = t.dest and d.op = x.op

-- name: reopen
update document d set state = x.s
from unnest(%b::text[], %b::text[], %b::text[]) x (dest, op, s)
join dest t on t.name = x.dest
where d.dest = t.dest and d.op = x.op

-- name: parked_queue
select room, key, id, type, version, trace, cause, body from parked order by n

-- name: clear_parked
delete from parked

-- name: clear_parked_keys
delete from parked_key

-- name: park_keys
insert into parked_key (room, key, consumer, lane, case_id)
select *, 'flow', 0, 0 from unnest(%b::text[], %b::text[])

-- name: park
insert into parked (room, key, type, version, body)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::smallint[], %b::bytea[])
