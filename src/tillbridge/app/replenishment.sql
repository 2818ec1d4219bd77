-- Proposals and supplies as people see them.

-- name: status
select status from proposal_state where key = %b

-- name: location
select location from proposal_state where number = %b

-- name: list
-- bought: the purchase that came of it, what was ordered and what came, base units
select p.number, p.status, p.kind, p.source, p.location, p.due_at, p.remote, p.body, b.supply,
       coalesce(b.expected, 0)::bigint, coalesce(b.received, 0)::bigint
from proposal_state p
left join lateral (
  select b.supply, sum(s.expected) as expected, sum(s.received) as received
  from purchase b join supply s using (supply)
  where p.kind = 'purchase' and (b.supply in (p.number, p.remote) or b.proposal = p.number)
  group by b.supply order by b.supply limit 1
) b on true
where (%(all)s or p.status in ('proposed', 'accepted'))
  and (%(everything)s or p.location = any(%(locations)s))
order by p.proposed_at desc, p.number
limit %(most)s

-- name: supplies
-- what is expected and not closed, the most overdue first
select supply, location, product, due_at, expected, received, greatest(expected - received, 0),
       due_at < %(now)s
from supply
where not closed and expected > received and (not %(late)s or due_at < %(now)s)
  and (%(everything)s or location = any(%(locations)s))
order by due_at nulls last, supply, location, product
limit %(most)s
