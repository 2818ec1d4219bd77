-- Partitions by id range: made ahead, dropped when everything in them is done with.

-- name: partitions
select c.relname, pg_get_expr(c.relpartbound, c.oid)
from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = %b::regclass
order by c.oid

-- name: highest
select coalesce(pg_sequence_last_value(pg_get_serial_sequence(%b, 'id')::regclass), 0)

-- name: lock
select pg_advisory_xact_lock(78)

-- name: make_apart
create table {name} (like {table} including defaults including storage)

-- name: attach
alter table {table} attach partition {name} for values from ({lower}) to ({upper})

-- name: hurry
select set_config('lock_timeout', '300', true)

-- name: first_message_from
select received_at from message where id >= %b order by id limit 1

-- name: first_record_from
-- the lanes' newest rows would do too; ids are spread over lanes, so look into each
select min(r.at) from generate_series(0, 63) l (lane) cross join lateral (
  select at from record where lane = l.lane and id >= %b order by id limit 1) r

-- name: slowest_cursor
select coalesce(min(pos), 0) from (
  select min(case when r.id is null then h.top else r.id - 1 end) as pos
  from cursor c
  cross join (select coalesce(max(id), 0) as top from record) h
  left join lateral (
    select id from record r where r.lane = c.lane and r.id > c.pos
      and (c.consumer <> 'flow' or not r.fused)
    order by id limit 1
  ) r on true
  group by c.consumer
) x

-- name: expire_deliveries
with old as (
  select ctid from delivery where day < %b::date limit 10000
)
delete from delivery d using old where d.ctid = old.ctid
