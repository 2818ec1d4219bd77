-- Movements of the stock book.

-- name: known
select distinct fact from stock_movement where fact = any(%b::text[])

-- name: of_keys
select key, location, product, condition, sum(quantity)::bigint from stock_movement
where key = any(%b::text[]) and kind not in ('opening', 'count')
group by key, location, product, condition

-- name: later
-- what moved at places since given instants, without what counts of that very instant found
select x.n, coalesce(sum(m.quantity), 0)::bigint
from unnest(%b::int[], %b::text[], %b::text[], %b::text[], %b::timestamptz[]) x (n, l, p, k, at)
left join stock_movement m on m.location = x.l and m.product = x.p and m.condition = x.k
  and m.occurred_at >= x.at
  and (m.occurred_at > x.at or m.kind not in ('opening', 'count') or m.cause = 'counted_already')
group by x.n

-- name: add
insert into stock_movement
  (fact, n, key, kind, cause, location, product, condition, quantity, occurred_at)
select * from unnest(%b::text[], %b::int[], %b::text[], %b::text[], %b::text[], %b::text[],
                     %b::text[], %b::text[], %b::bigint[], %b::timestamptz[])
