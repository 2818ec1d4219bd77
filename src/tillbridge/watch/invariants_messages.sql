-- What came in and the log: nothing lost, nothing changed, nothing in two states.
-- The form of a block is told in invariants.py.

-- name: every_delivery_has_its_body
-- says: The raw bytes of every delivery taken in are there, as far back as bodies are kept.
-- do: Bodies were deleted by hand or the disk lost them: restore a backup, then read again at the source.
select d.connection, d.id_hash, d.message from delivery d
left join message m on m.id = d.message
where m.id is null and d.message >= (select coalesce(min(id), 0) from message)

-- name: every_message_has_its_delivery
-- says: Every stored body has the identity that refuses its second arrival.
-- do: The vendor may send it again and it would be taken twice: restore the table `delivery` from a backup.
select m.id, m.connection, m.delivery from message m
left join delivery d on d.message = m.id
where d.message is null and m.id >= (select coalesce(min(message), 0) from delivery)

-- name: every_body_is_as_it_came
-- says: Every raw body still has the SHA-256 that was taken when it came (or when it was masked).
-- do: Somebody or a disk changed evidence: compare with a backup; read the object again at its source.
select m.id, m.delivery from message m join delivery d on d.message = m.id
where sha256(m.body) <> coalesce(m.stored_hash, d.body_hash)

-- name: every_message_is_in_the_log_once
-- says: Every message was handed to the flow exactly once.
-- do: Missing: take the delivery in again with `tillbridge ingest`. Twice: report a defect.
select m.id, count(r.id) from message m
left join seen_record r on r.message = m.id and r.type = 'Received'
where m.id >= (select coalesce(min(message), 0) from seen_record where type = 'Received')
group by m.id having count(r.id) <> 1

-- name: every_message_is_of_a_known_connection
-- says: Every delivery and message belongs to a connection the hub has a name for.
-- do: The table `connection_name` lost a row: restore it from a backup before anything else is taken in.
select x.what, x.connection, count(*) from (
  select 'delivery' as what, connection from delivery
  union all select 'message', connection from message) x
left join connection_name n on n.id = x.connection
where n.id is null group by x.what, x.connection

-- name: no_cursor_is_ahead_of_the_log
-- says: No reader of the log believes it has read what was not written yet.
-- do: New records would be passed over in silence: stop the workers and restore; report a defect.
select c.consumer, c.lane, c.pos from cursor c
where c.pos > (select coalesce(max(id), 0) from record)

-- name: every_consumer_has_all_its_cursors
-- says: Every reader of the log has one cursor for each of the 64 lanes.
-- do: Records of a lane without cursor are never read: start the worker again, it makes them.
select consumer, count(*), min(lane), max(lane) from cursor
group by consumer having count(*) <> 64 or min(lane) <> 0 or max(lane) <> 63

-- name: every_record_comes_after_its_cause
-- says: What set a record off stands in the log before it.
-- do: The log lost or reordered records: report a defect; restore from a backup.
select r.id, r.key, r.type, r.cause from seen_record r
left join seen_record c on c.id = r.cause
where r.cause is not null
  and (r.cause >= r.id
       or (c.id is null and r.cause >= (select coalesce(min(id), 0) from seen_record)))

-- name: numbers_go_on_above_the_newest
-- says: Every table's next number is above the highest one given.
-- do: Sequences were left behind (a copy by logical replication): set each with setval above its table.
select x.name, x.top, x.last from (
  select 'record' as name, (select max(id) from record) as top,
         pg_sequence_last_value(pg_get_serial_sequence('record', 'id')::regclass) as last
  union all select 'message', (select max(id) from message),
         pg_sequence_last_value(pg_get_serial_sequence('message', 'id')::regclass)
  union all select 'exception_case', (select max(id) from exception_case),
         pg_sequence_last_value(pg_get_serial_sequence('exception_case', 'id')::regclass)
  union all select 'parked', (select max(n) from parked),
         pg_sequence_last_value(pg_get_serial_sequence('parked', 'n')::regclass)
  union all select 'job', (select max(id) from job),
         pg_sequence_last_value(pg_get_serial_sequence('job', 'id')::regclass)
  union all select 'stock_movement', (select max(id) from stock_movement),
         pg_sequence_last_value(pg_get_serial_sequence('stock_movement', 'id')::regclass)
  union all select 'fence', (select max(token) from outkey),
         pg_sequence_last_value('fence'::regclass)) x
where x.top > coalesce(x.last, 0)
