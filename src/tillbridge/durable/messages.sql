-- Raw deliveries: identity first, body for new ones, then a thin record.

-- name: connection_ids
-- only missing names are inserted: every attempt takes a number, and there are 32,767 of them
with wanted as materialized (select unnest(%b::text[]) name),
made as (
  insert into connection_name (name)
  select w.name from wanted w
  where not exists (select 1 from connection_name c where c.name = w.name)
  on conflict (name) do update set name = excluded.name
  returning name, id)
select name, id from made
union all
select c.name, c.id from wanted w join connection_name c on c.name = w.name

-- name: claim_deliveries
insert into delivery as d (connection, id_hash, body_hash, message, day)
select c, i, b, nextval(pg_get_serial_sequence('message', 'id')), %b::date
from unnest(%b::smallint[], %b::uuid[], %b::bytea[]) with ordinality x (c, i, b, o)
order by c, i
on conflict (connection, id_hash) do update set copies = d.copies + 1
returning d.connection, d.id_hash, d.body_hash, d.message, xmax = 0

-- name: add_messages
insert into message (id, connection, topic, delivery, place, problem, headers, body, received_at,
                     stored_hash, masked)
overriding system value
select * from unnest(%b::bigint[], %b::smallint[], %b::text[], %b::text[], %b::text[], %b::text[],
                     %b::bytea[], %b::bytea[], %b::timestamptz[], %b::bytea[], %b::text[])

-- name: read_messages
select m.id, n.name, m.topic, m.delivery, m.place, m.problem, m.headers, m.body, m.received_at,
  m.masked
from message m join connection_name n on n.id = m.connection
where m.id = any(%b::bigint[])
