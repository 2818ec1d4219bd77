-- Replenishment, worked out for all places and products at once.

-- name: only
-- one run at a time, and none before the flow decided on what the last one proposed
select pg_try_advisory_xact_lock(57) and not exists (
  select from replenishment_run r cross join lateral unnest(r.keys) k (key)
  where r.at > %(now)s - interval '1 hour'
    and not exists (select from proposal_state p where p.key = k.key))

-- name: ran
insert into replenishment_run (at, keys) values (%b, %b)
on conflict (one) do update set at = excluded.at, keys = excluded.keys

-- name: needs
with said as materialized (
  select * from unnest(
    %(n)s::int[], %(products)s::text[], %(categories)s::text[], %(least)s::bigint[],
    %(most)s::bigint[], %(pack)s::bigint[], %(accept)s::bigint[], %(source)s::text[],
    %(review)s::text[], %(lead)s::int[])
    s (n, products, categories, least, most, pack, accept, source, review, lead)
), place as materialized (
  select * from unnest(%(at)s::int[], %(location)s::text[]) p (n, location)
), known as materialized (
  select i.product, i.category from item i
  where i.sellable and not exists (select from item_component c where c.bundle = i.product)
  union all
  select distinct s.product, '' from stock s
  where not exists (select from item i where i.product = s.product)
), ruled as materialized (
  -- every rule that fits says its fields, a later one wins field by field
  select p.location, k.product, k.category,
    (array_agg(s.least order by s.n desc) filter (where s.least is not null))[1] as least,
    (array_agg(s.most order by s.n desc) filter (where s.most is not null))[1] as most,
    (array_agg(s.pack order by s.n desc) filter (where s.pack is not null))[1] as pack,
    (array_agg(s.accept order by s.n desc) filter (where s.accept is not null))[1] as accept,
    (array_agg(s.source order by s.n desc) filter (where s.source is not null))[1] as source,
    (array_agg(s.review order by s.n desc) filter (where s.review is not null))[1] as review,
    (array_agg(s.lead order by s.n desc) filter (where s.lead is not null))[1] as lead
  from said s
  join place p using (n)
  join known k on (s.products = '' or k.product = any(string_to_array(s.products, chr(31))))
              and (s.categories = '' or k.category = any(string_to_array(s.categories, chr(31))))
  where s.products <> '' or s.categories <> '' or exists (
    select from stock t
    where t.location = p.location and t.product = k.product and t.condition = 'sellable')
  group by p.location, k.product, k.category
), shelf as materialized (
  select location, product,
         coalesce(sum(on_hand) filter (where condition = 'sellable'), 0)::bigint as on_hand,
         coalesce(sum(reserved) filter (where condition = 'sellable'), 0)::bigint as reserved,
         coalesce(sum(on_hand) filter (where condition = 'in_transit'), 0)::bigint as in_transit
  from stock group by location, product
), sent as materialized (
  select t.key, m.product, -sum(m.quantity) as quantity
  from transfer_state t join stock_movement m using (key)
  where t.status not in ('received', 'cancelled')
    and m.kind = 'transfer_out' and m.condition = 'sellable'
  group by t.key, m.product
), asked as materialized (
  -- what open transfers have still to send
  select t.destination as location, w.product, t.key,
         sum(w.quantity * coalesce(u.quantity, 1000) / 1000) as quantity
  from transfer_state t
  cross join lateral json_to_recordset(
    coalesce(convert_from(t.body, 'UTF8')::json -> 'wanted', '[]'))
    w (product text, quantity bigint, unit text)
  left join item_pack u on u.product = w.product and u.unit = w.unit
  where t.status not in ('received', 'cancelled')
  group by t.destination, w.product, t.key
), proposed as materialized (
  select p.location, p.kind, p.status, p.due_at, p.number, p.remote, l.product, l.quantity,
         (convert_from(p.body, 'UTF8')::json -> 'verdict' ->> 'at')::timestamptz as decided_at
  from proposal_state p
  cross join lateral json_to_recordset(convert_from(p.body, 'UTF8')::json -> 'told' -> 'lines')
    l (product text, quantity bigint)
  where p.status in ('proposed', 'accepted')
     or (p.status = 'ordered' and p.kind = 'purchase')
     or (p.status = 'rejected' and p.proposed_at > %(now)s - interval '40 days')
), coming as materialized (
  select location, product, sum(quantity)::bigint as quantity from (
    select location, product, greatest(expected - received, 0) as quantity
    from supply where not closed
    union all
    select a.location, a.product, greatest(a.quantity - coalesce(s.quantity, 0), 0)
    from asked a left join sent s using (key, product)
    union all
    -- the buyers have it, however late, until what they bought is told or closed
    select p.location, p.product, p.quantity from proposed p
    where p.status = 'ordered'
      and not exists (select from purchase b
                      where b.supply in (p.number, p.remote) or b.proposal = p.number)
  ) x group by location, product
), sold as materialized (
  select location, product, -sum(quantity)::bigint as quantity from stock_movement
  where kind = 'sale' and occurred_at >= %(since)s and occurred_at <= %(now)s
    and condition = 'sellable'
  group by location, product
), need as materialized (
  select r.location, r.product, r.category, r.accept, split_part(r.source, ':', 1) as kind,
         substr(r.source, strpos(r.source, ':') + 1) as source, coalesce(r.lead, 0) as lead,
         coalesce(r.pack, 1000) as pack, r.least, greatest(r.most, r.least) as most,
         coalesce(s.on_hand, 0) as on_hand, coalesce(s.reserved, 0) as reserved,
         coalesce(s.in_transit, 0) as in_transit, coalesce(c.quantity, 0) as on_order,
         coalesce(d.quantity, 0) as demand,
         coalesce(s.on_hand - s.reserved + s.in_transit, 0) + coalesce(c.quantity, 0) as position
  from ruled r
  left join shelf s using (location, product)
  left join coming c using (location, product)
  left join sold d using (location, product)
  where r.least is not null and r.source is not null
    and r.source <> 'transfer:' || r.location
    and (coalesce(r.review, '') = '' or %(today)s = any(string_to_array(r.review, chr(31))))
    -- no need twice while a proposal is open, and not again on the day it was rejected
    and not exists (
      select from proposed p
      where p.location = r.location and p.product = r.product
        and (p.status in ('proposed', 'accepted')
             or p.status = 'rejected'
                and (p.decided_at at time zone 'UTC')::date = (%(now)s at time zone 'UTC')::date))
), wanted as materialized (
  select n.*, ((n.most - n.position + n.pack - 1) / n.pack) * n.pack as quantity
  from need n where n.position < n.least
), handed as materialized (
  -- a source gives what it has free, to those that lack most first
  select w.*, coalesce(s.on_hand - s.reserved, 0) as free,
         coalesce(sum(w.quantity) over (
           partition by w.kind, w.source, w.product
           order by w.position - w.least, w.location
           rows between unbounded preceding and 1 preceding), 0) as before
  from wanted w
  left join shelf s on w.kind = 'transfer' and s.location = w.source and s.product = w.product
)
select kind, source, location, lead, product, category, quantity::bigint, free::bigint,
       before::bigint, pack, accept, on_hand, reserved, on_order, in_transit, demand, least, most
from handed
order by kind, source, location, lead, product collate "C"
