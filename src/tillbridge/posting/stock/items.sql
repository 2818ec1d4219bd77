-- The item master as the stock book needs it.

-- name: read_lock
-- lock 69: who reads items shares it, who changes them holds it alone, so that a decision and the
-- description it was taken by stand in the log in the order in which they happened
select pg_advisory_xact_lock_shared(69)

-- name: load
-- items and, for bundles, everything in them
with recursive named (product) as (
  select unnest(%b::text[])
  union
  select c.product from named n join item_component c on c.bundle = n.product
)
select i.product, i.version, i.title, i.unit, i.step, i.category, i.sellable,
       coalesce((select json_object_agg(p.unit, p.quantity) from item_pack p
                 where p.product = i.product), '{}'),
       coalesce((select json_object_agg(c.product, c.quantity) from item_component c
                 where c.bundle = i.product), '{}')
from named n join item i using (product)
