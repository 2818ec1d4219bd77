-- The one log. Ids are taken under the append lock, so id order is commit order.

-- name: bound
-- For pipelines that hold locks, see lock_append; before PostgreSQL 17 nothing ends them.
select case when current_setting('transaction_timeout', true) is not null
            then set_config('transaction_timeout', '15000', true) end

-- name: lock_append
-- Between the statements of a pipeline no idle time-out runs: a client that is stopped there would
-- hold the lock for ever. From PostgreSQL 17 on the server ends such a transaction itself. A timer
-- that runs already (see bound) only begins anew after it was off.
select pg_advisory_xact_lock(77),
       case when current_setting('transaction_timeout', true) is not null
            then set_config('transaction_timeout', '0', true)
              || set_config('transaction_timeout', '5000', true) end

-- name: append
insert into record (lane, key, type, version, fused, trace, cause, body)
select l, k, t, v, f, tr, c, b
from unnest(%b::smallint[], %b::text[], %b::text[], %b::smallint[], %b::bool[],
            %b::bytea[], %b::bigint[], %b::bytea[])
     with ordinality x (l, k, t, v, f, tr, c, b, o)
order by o

-- name: notify
notify log

-- name: make_cursors
insert into cursor (consumer, lane)
select %b::text, generate_series(0, 63)
on conflict do nothing

-- name: take_lanes
select lane, pos from cursor c
where consumer = %b and lane = any(%b::smallint[])
  and (exists (select 1 from record r
               where r.lane = c.lane and r.id > c.pos and not r.fused)
       or exists (select 1 from parked_key p
                  where p.consumer = c.consumer and p.lane = c.lane and p.ready))
order by lane
for update of c skip locked

-- name: read
select r.lane, r.id, r.key, r.type, r.version, r.trace, r.cause, r.body
from unnest(%b::smallint[], %b::bigint[]) c (lane, pos)
cross join lateral (
  select * from record
  where lane = c.lane and id > c.pos and not fused
  order by id limit %b
) r

-- name: read_whole
select r.lane, r.id, r.key, r.type, r.version, r.trace, r.cause, r.body
from unnest(%b::smallint[], %b::bigint[]) c (lane, pos)
cross join lateral (
  select * from record
  where lane = c.lane and id > c.pos
  order by id limit %b
) r

-- name: move_cursors
update cursor set pos = x.p, moved_at = now()
from unnest(%b::smallint[], %b::bigint[]) x (l, p)
where consumer = %b and lane = x.l and pos <= x.p

-- name: backlog
select count(*)::bigint, min(r.at) from cursor c
join record r on r.lane = c.lane and r.id > c.pos and not r.fused
where c.consumer = %b
