-- Orders handed in and how they stand.

-- name: unknown_products
select w.product from unnest(%b::text[]) w (product)
where not exists (select from item i where i.product = w.product)
  and not exists (select from stock s where s.product = w.product)
  and not exists (select from xref x where x.kind = 'product' and x.ours = w.product)
order by w.product

-- name: standing
select s.number, s.status, s.currency, s.total, s.placed_at,
  exists (select from parked_key p where p.key = s.key)
from order_state s where s.number = %b and s.channel = %b
order by s.placed_at desc nulls last limit 1

-- name: received
select exists (select from record where key = %(key)s),
  exists (select from parked_key p where p.key = %(key)s)
