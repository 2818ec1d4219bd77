-- name: late
-- Supply past its due date that orders wait for.
select s.supply, min(s.due_at), count(distinct p.key), array_agg(distinct s.location)
from promise p
join supply s using (supply, product, location)
where s.due_at < %b and not s.closed
group by s.supply
