-- What can be promised of products, read as one set.

-- name: read
-- A bundle is asked for by everything in it; a quantity that is finer than a thousandth is rounded
-- up, so that no more bundles are there than can be made. A product nobody has stock of gives a row
-- without place.
with recursive asked (product) as (
  select distinct x.product from unnest(%(products)s::text[]) x (product)
),
opened (bundle, product, quantity, depth) as (
  select a.product, a.product, 1000::numeric, 0 from asked a
  union all
  select o.bundle, c.product, o.quantity * c.quantity / 1000, o.depth + 1
  from opened o join item_component c on c.bundle = o.product where o.depth < 8
),
part (bundle, product, quantity) as (
  select o.bundle, o.product, least(ceil(sum(o.quantity)), 9e18)::bigint from opened o
  where o.depth = 8 or not exists (select from item_component c where c.bundle = o.product)
  group by o.bundle, o.product
)
select p.bundle, coalesce(b.step, 1), coalesce(b.sellable, true), b.product is not null,
       p.product, p.quantity, coalesce(i.category, ''), s.location, s.on_hand, s.reserved,
       s.heard_at, s.in_transit, s.due, s.coming
from part p
left join item b on b.product = p.bundle
left join item i on i.product = p.product
left join lateral (
  select t.location, coalesce(sum(t.on_hand) filter (where t.condition = 'sellable'), 0)::bigint,
         sum(t.reserved)::bigint, max(t.heard_at) filter (where t.condition = 'sellable'),
         coalesce(sum(t.on_hand) filter (where t.condition = 'in_transit'), 0)::bigint,
         (select array_agg(e.due_at order by e.supply) from supply e
          where e.location = t.location and e.product = p.product and not e.closed),
         (select array_agg(e.expected - e.received - coalesce(
            (select sum(o.quantity)::bigint from promise o
             where (o.supply, o.product, o.location) = (e.supply, e.product, e.location)), 0)
            order by e.supply) from supply e
          where e.location = t.location and e.product = p.product and not e.closed)
  from stock t
  where t.product = p.product and t.condition in ('sellable', 'in_transit')
    and (%(locations)s::text[] is null or t.location = any(%(locations)s::text[]))
  group by t.location
) s (location, on_hand, reserved, heard_at, in_transit, due, coming) on true
