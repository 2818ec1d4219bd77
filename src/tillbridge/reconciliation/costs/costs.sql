-- Costs told, movements read, worths kept.

-- name: read_from
select record from costs_read for update

-- name: newest
select coalesce(max(id), 0) from record

-- name: told
select version, body from record
where id > %b and id <= %b and type = 'ItemCosted' order by id

-- name: read_through
update costs_read set record = %b

-- name: list_cost
-- of two tellings of one day the later one counts, whichever comes first
insert into unit_cost as c (entity, product, since, unit_cost, currency, told_at, source, fact)
select distinct on (e, p, s) e, p, s, u, k, a, o, f
from unnest(%b::text[], %b::text[], %b::date[], %b::bigint[], %b::text[], %b::timestamptz[],
            %b::text[], %b::text[]) x (e, p, s, u, k, a, o, f)
order by e, p, s, a desc, f desc
on conflict (entity, product, since) do update
set unit_cost = excluded.unit_cost, currency = excluded.currency, told_at = excluded.told_at,
    source = excluded.source, fact = excluded.fact, reckoned = false
where (excluded.told_at, excluded.fact) > (c.told_at, c.fact)
returning entity, product, since

-- name: touch
-- whatever the changed cost is for; with it what came back of it
update goods_value g set due = true
from unnest(%b::text[], %b::text[], %b::date[]) x (e, p, s)
where g.entity = e and g.product = p and g.day >= s and not g.due

-- name: lock
lock table stock_movement in share mode

-- name: last_movement
select coalesce(max(id), 0) from stock_movement

-- name: position
select movement from goods_read where entity = %b

-- name: move_on
insert into goods_read (entity, movement) values (%b, %b)
on conflict (entity) do update set movement = excluded.movement

-- name: moved
-- others: at which places the same fact moved goods, for what goes from one to another
select m.id, m.key, m.kind, m.cause, m.location, m.product, m.condition, m.quantity, m.occurred_at,
  case when m.kind = 'transfer_out'
       then (select array_agg(distinct o.location) from stock_movement o where o.fact = m.fact) end,
  coalesce((select i.category from item i where i.product = m.product), '')
from stock_movement m
where m.id > %b and m.id <= %b and m.location = any(%b::text[])
order by m.id limit %b

-- name: returns
select key, returns from sale_state where key = any(%b::text[]) and returns is not null

-- name: keep
insert into goods_value
  (movement, key, origin, entity, product, location, damaged, kind, quantity, day, at, category)
select * from unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
                     %b::boolean[], %b::text[], %b::bigint[], %b::date[], %b::timestamptz[],
                     %b::text[])

-- name: void
update goods_value set voided = true, due = true
where key = any(%b::text[]) and kind in ('sold', 'returned') and not voided

-- name: due
-- what stands or falls together with anything that is due
with group_of as (
  select distinct origin, entity, product from goods_value where due limit %b)
select g.origin, g.entity, g.product, g.movement, g.key, g.location, g.damaged, g.kind, g.quantity,
  g.day, g.at, g.voided, g.category, g.amount, g.worth, g.turn
from goods_value g join group_of using (origin, entity, product)
order by g.origin, g.entity, g.product, g.movement

-- name: costs
select c.entity, c.product, c.since, c.unit_cost
from unit_cost c join unnest(%b::text[], %b::text[], %b::text[]) x (e, p, k)
  on c.entity = e and c.product = p and c.currency = k

-- name: value
update goods_value g set amount = a, worth = w, turn = t, due = false
from unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::int[]) x (m, a, w, t)
where g.movement = m

-- name: products
-- whose shelves a change of the list may concern anew
select distinct entity, product from goods_value where due
union select entity, product from unit_cost where not reckoned and since <= %b

-- name: reckoned
update unit_cost set reckoned = true where not reckoned and since <= %b

-- name: shelves
-- what stood at each place when a cost took the place of another, worthless pieces aside
select c.entity, c.product, c.since, g.location, sum(g.quantity)::bigint
from unnest(%b::text[], %b::text[], %b::date[]) c (entity, product, since)
join goods_value g on g.entity = c.entity and g.product = c.product and g.day < c.since
where not g.damaged and not g.voided
group by c.entity, c.product, c.since, g.location

-- name: revalued
select r.entity, r.product, r.since, r.location, r.amount, r.turn
from goods_revalued r join unnest(%b::text[], %b::text[]) x (e, p)
  on r.entity = e and r.product = p

-- name: revalue
insert into goods_revalued (entity, product, since, location, amount, turn)
select * from unnest(%b::text[], %b::text[], %b::date[], %b::text[], %b::bigint[], %b::int[])
on conflict (entity, product, since, location)
do update set amount = excluded.amount, turn = excluded.turn

-- name: missing
select entity, product, count(*), sum(abs(quantity))::bigint, min(day)
from goods_value where amount is null and not due
group by entity, product

-- name: foreign
select c.entity, c.product, c.since, c.currency from unit_cost c
join unnest(%b::text[], %b::text[]) x (e, k) on c.entity = e and c.currency <> k
