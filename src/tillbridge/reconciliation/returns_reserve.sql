-- Sales that may come back, and what was told of them.

-- name: lock
select pg_advisory_xact_lock(85)

-- name: sold
select coalesce(nullif(e.channel, ''), e.location), l.account, e.business_date,
  -sum(l.amount)::bigint
from entry e join entry_line l on l.entry = e.id
where e.entity = %b and e.business_date > %b and e.business_date <= %b
  and (l.account like 'sales/%%' or l.account like 'discounts/%%'
       or l.account like 'cost-of-goods/%%')
group by 1, 2, 3
having sum(l.amount) <> 0

-- name: told
-- turn: how often the month itself was told
select channel, department, sum(refund)::bigint, sum(cost)::bigint,
  coalesce(max(turn) filter (where period = %b), 0)
from returns_reserve where entity = %b and period <= %b
group by channel, department

-- name: later
select distinct period from returns_reserve where entity = %b and period > %b order by period

-- name: closed
select entity from period where period = %b and state <> 'open'

-- name: write
insert into returns_reserve (entity, period, channel, turn, department, refund, cost)
select %b, %b, %b, %b, d, r, c from unnest(%b::text[], %b::bigint[], %b::bigint[]) x (d, r, c)
