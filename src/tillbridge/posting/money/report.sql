-- Reading the money book; every query takes an entity or '' for all.

-- name: trial_balance
select e.entity, l.account, e.currency,
       coalesce(sum(l.amount) filter (where l.amount > 0), 0)::bigint,
       coalesce(-sum(l.amount) filter (where l.amount < 0), 0)::bigint
from entry e join entry_line l on l.entry = e.id
where (%(entity)s::text = '' or e.entity = %(entity)s::text)
  and (%(through)s::date is null or e.posted_date <= %(through)s::date)
group by e.entity, l.account, e.currency
order by e.entity, l.account, e.currency

-- name: journal
select e.id, e.fact, e.fact_type, e.key, e.entity, e.rule, e.rule_version, e.business_date,
       e.posted_date, e.currency, e.flow, e.channel, e.location, e.reverses,
       l.account, l.amount, l.txn_amount, l.txn_currency, l.item
from entry e join entry_line l on l.entry = e.id
where (%(entity)s::text = '' or e.entity = %(entity)s::text)
  and (%(since)s::date is null or e.posted_date >= %(since)s::date)
  and (%(through)s::date is null or e.posted_date <= %(through)s::date)
  and (%(key)s::text = '' or e.key = %(key)s::text)
order by e.entity, e.posted_date, e.at, e.id, l.n

-- name: open_items
select e.entity, l.account, l.item, e.currency, sum(l.amount)::bigint
from entry_line l join entry e on e.id = l.entry
where l.item <> ''
  and (%(entity)s::text = '' or e.entity = %(entity)s::text)
  and (%(account)s::text = '' or l.account = %(account)s::text)
  and (%(item)s::text = '' or l.item = %(item)s::text)
group by e.entity, l.account, l.item, e.currency
having sum(l.amount) <> 0
order by e.entity, l.account, l.item

-- name: waiting_voids
select voided, fact, at from sale_void where not posted order by at, voided

-- name: broken_entries
select e.id, e.fact, coalesce(sum(l.amount), 0)::bigint, count(l.n)::int, e.lines::int
from entry e left join entry_line l on l.entry = e.id
group by e.id
having coalesce(sum(l.amount), 0) <> 0 or count(l.n) <> e.lines
order by e.id
limit %(limit)s::int
