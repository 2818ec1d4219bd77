-- Proposals and supplies as people see them.

-- name: status
select status from proposal_state where key = %b

-- name: location
select location from proposal_state where number = %b

-- name: list
select number, status, kind, source, location, due_at, remote, body from proposal_state
where (%(all)s or status in ('proposed', 'accepted'))
  and (%(everything)s or location = any(%(locations)s))
order by proposed_at desc, number
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
