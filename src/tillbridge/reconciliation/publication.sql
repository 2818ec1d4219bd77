-- What channels showed against what we knew.

-- name: open_drifts
select d.id, d.dest, t.name, d.location, d.product, d.found_at, d.expected, d.actual,
       p.told - d.told, p.untold
from publication_drift d join dest t using (dest) join publication p using (dest, location, product)
where d.state = 'open' order by d.id limit %(most)s
for update of d skip locked

-- name: orders_of
-- Orders of a channel that took a product since shortly before: what they hold was asked for then,
-- or it has left.
select key from (
  select r.key from reservation r
  where r.location = any(%(locations)s::text[]) and r.product = %(product)s
    and starts_with(r.key, %(prefix)s)
    and exists (select from order_state o where o.key = r.key and o.placed_at > %(since)s)
  order by r.key desc limit %(most)s
) held
union
(select key from stock_movement
 where location = any(%(locations)s::text[]) and product = %(product)s and condition = 'sellable'
   and occurred_at > %(since)s and starts_with(key, %(prefix)s) limit %(most)s)

-- name: close_drifts
update publication_drift d set state = x.state, orders = x.orders, closed_at = %(now)s
from (select i, s, string_to_array(o, ' ') from
      unnest(%(ids)s::bigint[], %(states)s::text[], %(orders)s::text[]) y (i, s, o)) x (i, state, orders)
where d.id = x.i

-- name: believe_no_longer
-- What was held back for a sale nobody told goes out again.
update publication p set untold = 0, untold_since = null, due = least(p.due, %(now)s),
  changed_at = coalesce(p.changed_at, %(now)s)
where p.dest = %(dest)s and p.untold > 0 and p.untold_since < %(before)s

-- name: unexplained
-- Figures that went their own way more often than is tolerated, as the newest time shows them.
select d.name, x.location, x.product, x.n, x.expected, x.actual from (
  select dest, location, product, count(*) as n,
         (array_agg(expected order by found_at desc))[1] as expected,
         (array_agg(actual order by found_at desc))[1] as actual
  from publication_drift
  where state = 'unexplained' and found_at > %(since)s and dest = any(%(dests)s::int[])
  group by dest, location, product having count(*) > %(tolerated)s
  order by n desc, location, product limit %(most)s
) x join dest d using (dest)

-- name: refused
-- What each channel refuses: how many figures, and the first of them.
select d.name, count(*), min(p.refused),
       (array_agg(p.product || case when p.location = '' then '' else ' at ' || p.location end
                  order by p.product, p.location))[1:20]
from publication p join dest d using (dest)
where p.refused <> '' and p.dest = any(%(dests)s::int[]) group by d.name

-- name: contradicted
-- What a channel told of itself since its last answer, and differs from it: ask.
update publication p
set due = %(now)s, changed_at = coalesce(p.changed_at, %(now)s), doubted = true
from stock_evidence e
where p.dest = %(dest)s and p.due is null and p.slot is null and p.confirmed is not null
  and e.source = %(name)s and e.product = p.product
  and e.location = case when p.location = '' then %(at)s else p.location end
  and e.basis = 'available' and e.counted_at > p.confirmed_at and e.quantity <> p.confirmed

