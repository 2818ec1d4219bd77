-- What a rehearsal wrote, read before it is rolled back. A row is of this transaction when its xmin
-- is no older than the transaction's own number (savepoints have later ones).

-- name: documents
select d.op, d.kind, t.name, d.total from document d join dest t using (dest)
where d.op = any(%b::text[]) and age(d.xmin) <= age(pg_current_xact_id()::xid)

-- name: entries
select e.fact, e.entity, l.account, e.currency, sum(l.amount)::bigint
from entry e join entry_line l on l.entry = e.id
where e.fact = any(%b::text[]) and age(e.xmin) <= age(pg_current_xact_id()::xid)
group by 1, 2, 3, 4

-- name: movements
select fact, location, product, sum(quantity)::bigint from stock_movement m
where fact = any(%b::text[]) and age(m.xmin) <= age(pg_current_xact_id()::xid)
group by 1, 2, 3

-- name: parked_counts
select k.case_id, count(*) from parked_key k join parked p using (room, key)
where k.case_id = any(%b::bigint[]) group by 1

-- name: held_documents
select c.id, c.key, c.reason, coalesce(c.details ->> 'destination', split_part(c.key, '/', 2)),
       c.details ->> 'operation', d.kind, d.total
from exception_case c
left join dest t on t.name = coalesce(c.details ->> 'destination', split_part(c.key, '/', 2))
left join document d on d.dest = t.dest and d.op = c.details ->> 'operation'
where c.id = any(%b::bigint[]) and c.reason = any(%b::text[])
  and not exists (select 1 from parked_key k where k.case_id = c.id)
