-- Transfers as people see them. Quantities in base units: what moved is counted by the stock book.

-- name: status
select status from transfer_state where key = %b

-- name: turn
-- of two who give one number at once the second waits and finds the first
select pg_advisory_xact_lock(59, hashtext(%b::text))

-- name: told
-- whether the log tells of it already, decided on or not
select 1 from record where key = %b limit 1

-- name: in_transit
select location, product, sum(quantity)::bigint from stock_movement
where key = %b and condition = 'in_transit' and kind in ('transfer_out', 'transfer_in', 'adjustment')
group by location, product having sum(quantity) <> 0
order by location, product

-- name: list
-- of an operator's places, those that are not over first, by due date
select t.key, t.number, t.status, t.origin, t.destination, t.due_at,
       coalesce(m.sent, 0), coalesce(m.received, 0), coalesce(m.left, 0), coalesce(r.held, 0)
from transfer_state t
left join lateral (
  select -sum(quantity) filter (where kind = 'transfer_out' and condition <> 'in_transit')::bigint
           as sent,
         sum(quantity) filter (where kind = 'transfer_in' and condition <> 'in_transit')::bigint
           as received,
         sum(quantity) filter (where condition = 'in_transit'
                               and kind in ('transfer_out', 'transfer_in', 'adjustment'))::bigint
           as left
  from stock_movement where key = t.key
) m on true
left join lateral (
  select sum(quantity)::bigint as held from reservation where key = t.key
) r on true
where (%(number)s = '' or t.number = %(number)s)
  and (%(location)s = '' or %(location)s in (t.origin, t.destination))
  and (%(all)s or t.status not in ('received', 'cancelled') or coalesce(m.left, 0) <> 0)
  and (%(everything)s or t.origin = any(%(locations)s) or t.destination = any(%(locations)s))
order by t.status in ('received', 'cancelled'), t.due_at nulls last, t.key
limit %(most)s

-- name: pieces
-- by product: what stands at its origin for it, what left, arrived, is on its way
select product,
       coalesce(sum(quantity) filter (where what = 'held'), 0)::bigint,
       coalesce(sum(quantity) filter (where what = 'sent'), 0)::bigint,
       coalesce(sum(quantity) filter (where what = 'received'), 0)::bigint,
       coalesce(sum(quantity) filter (where what = 'left'), 0)::bigint
from (
  select product, 'held' as what, quantity from reservation where key = %(key)s
  union all
  select product, case when condition = 'in_transit' then 'left'
                       when kind = 'transfer_out' then 'sent' else 'received' end,
         case when condition <> 'in_transit' and kind = 'transfer_out' then -quantity
              else quantity end
  from stock_movement
  where key = %(key)s and kind in ('transfer_out', 'transfer_in', 'adjustment')
) x
group by product order by product

-- name: body
select body from transfer_state where key = %b
