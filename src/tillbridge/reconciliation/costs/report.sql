-- Costs and what stands by them, for people.

-- name: listed
select entity, product, since, unit_cost, currency, source from unit_cost
where (cardinality(%b::text[]) = 0 or entity = any(%b::text[])) and (%b = '' or product = %b)
order by entity, product, since limit %b

-- name: stands
select entity, product, location, sum(quantity)::bigint, sum(worth)::bigint, sum(waiting)::int
from (
  select entity, product, location, case when damaged or voided then 0 else quantity end as quantity,
    coalesce(worth, 0) as worth, (amount is null)::int as waiting
  from goods_value
  union all
  select entity, product, location, 0, amount, 0 from goods_revalued
) x
where (cardinality(%(entities)s::text[]) = 0 or entity = any(%(entities)s::text[]))
  and (%(product)s = '' or product = %(product)s)
group by entity, product, location
having sum(quantity) <> 0 or sum(worth) <> 0 or sum(waiting) > 0
order by entity, product, location limit %(most)s
