-- Supply and purchases that are not as they should be.

-- name: late
-- Supply past its due date that orders wait for.
select s.supply, min(s.due_at), count(distinct p.key), array_agg(distinct s.location)
from promise p
join supply s using (supply, product, location)
where s.due_at < %b and not s.closed
group by s.supply

-- name: differing
-- what came of purchases too much, what they ended without, and what still lacks of those of which
-- something came or a date is past; a place nobody ordered for is one where nothing was expected
with looked as materialized (
  select supply from supply where received > expected
  union
  select supply from supply where closed and received < expected
  union
  select supply from supply where not closed and (received > 0 or due_at < %b)
)
select s.supply, p.supplier, p.version, s.location, s.product, coalesce(i.category, ''), s.due_at,
       s.expected, s.received, s.closed,
       s.closed and not p.closed and p.reason <> 'complete' as let_go,
       exists (select from supply t where t.supply = s.supply and t.received > 0) as came
from looked l
join purchase p using (supply)
join supply s using (supply)
left join item i on i.product = s.product
where p.supplier <> '' and s.received <> s.expected
order by s.supply, s.location, s.product

-- name: unordered
-- proposals the ERP took a while ago, of which no purchase was told
select s.number, s.remote, s.source, s.location, s.due_at
from proposal_state s
where s.status = 'ordered' and s.kind = 'purchase' and s.due_at < %b
  and not exists (select from purchase p
                  where p.supply in (s.number, s.remote) or p.proposal = s.number)
order by s.number
