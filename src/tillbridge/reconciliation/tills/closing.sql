-- What the transactions of store days say, and what is booked of their counts.

-- name: transactions
-- every telling; which one counts is known by its hash
select s.fact_hash, r.type, r.version, r.body
from unnest(%b::text[], %b::date[]) x (location, day)
join sale_state s on s.location = x.location and s.business_date = x.day
join record r on r.key = s.key and r.type in ('SaleRung', 'CashMoved', 'TillClosed')
where s.fact_hash is not null and s.type in ('SaleRung', 'CashMoved', 'TillClosed')
order by r.id

-- name: voids
-- sales that were voided on these days, whenever they were rung
select v.version, v.body, s.fact_hash, r.version, r.body
from unnest(%b::text[], %b::date[]) x (location, day)
join sale_state n on n.location = x.location and n.business_date = x.day and n.type = 'TillNoted'
join sale_void v on v.fact = n.key || '/void' and v.posted
join sale_state s on s.key = v.voided
join record r on r.key = v.voided and r.type = 'SaleRung'
order by r.id

-- name: booked
select key, version, booked from till_count where key = any(%b::text[])

-- name: due
select distinct location, business_date from till_day
where closed_heard_at is not null and counted is distinct from transactions
order by business_date, location limit %b

-- name: done
update till_day t set counted = t.transactions
from unnest(%b::text[], %b::date[]) x (location, day)
where t.location = x.location and t.business_date = x.day
