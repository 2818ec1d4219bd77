-- Purchases as people see them. Quantities in base units, as the stock book counts them.

-- name: turn
-- of two who give one number at once the second waits and finds the first
select pg_advisory_xact_lock(59, hashtext(%b::text))

-- name: told
-- whether the log tells of it already, booked or not
select 1 from record where key = %b and type in ('PurchaseOrdered', 'SupplyExpected') limit 1

-- name: one
select supply, location, version,
       closed or coalesce(ended = '' or version <= ended, false)
from purchase where supply = %b

-- name: list
-- of an operator's places, those that are not over first, by due date
select p.supply, p.supplier, p.location, p.due_at, p.version, p.proposal,
       case when p.closed or coalesce(p.ended = '' or p.version <= p.ended, false) then 'closed'
            when s.missing = 0 then 'received' when s.received > 0 then 'part-received'
            when p.version = '' then 'untold' else 'ordered' end as status,
       coalesce(s.expected, 0)::bigint, coalesce(s.received, 0)::bigint,
       coalesce(s.missing, 0)::bigint, coalesce(p.due_at < %(now)s and s.missing > 0, false),
       p.reason
from purchase p
left join lateral (
  select sum(expected) as expected, sum(received) as received,
         sum(case when closed then 0 else greatest(expected - received, 0) end) as missing
  from supply where supply = p.supply
) s on true
where (%(number)s = '' or p.supply = %(number)s)
  and (%(all)s or not (p.closed or coalesce(p.ended = '' or p.version <= p.ended, false))
                  and s.missing > 0)
  and (%(everything)s or p.location = any(%(locations)s))
order by p.due_at nulls last, p.supply
limit %(most)s

-- name: lines
-- by product and place: expected, received, still to come, when
select product, location, expected, received,
       case when closed then 0 else greatest(expected - received, 0) end, due_at
from supply where supply = %b order by product, location
