-- What the deep check reads: bodies, streamed.

-- name: other_bodies
select id, key, type, version, body from record where not (type = any(%b::text[]))

-- name: bodies_of_orders
-- only what went through the flow, and only keys nothing was held back or given up of
select r.id, r.key, r.type, r.version, r.body from record r
join seen_record s on s.id = r.id and s.carried
where r.type = any(%b::text[])
  and not exists (select 1 from seen_held h
                  where h.key = r.key and h.room in ('orchestration', 'reading'))
order by r.key, r.id

-- name: orders_of
select key, body from order_state where key = any(%b::text[])

-- name: whole
select to_regclass('record_0') is not null
