-- Which till days were heard of, and when.

-- name: days
select source, location, till, business_date, transactions, sales, first_heard_at, last_heard_at,
       closed_heard_at
from till_day where business_date >= %b::date
order by source, location, till, business_date

-- name: repeats
-- identical deliveries that came again, by connection, of the last days
select n.name, sum(d.copies - 1)::bigint
from delivery d join connection_name n on n.id = d.connection
where d.day >= %b::date and d.copies > 1
group by n.name
