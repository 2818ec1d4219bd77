-- Cards as the money book has them. A card's balance is its open item; credits add to it.

-- name: movements
select e.business_date, e.fact_type, e.key, e.entity, l.account, -l.amount, e.currency
from entry_line l join entry e on e.id = l.entry
where l.item = any(%(items)s::text[])
  and l.account in ('gift-card-liability', 'store-credit-liability')
order by e.business_date, e.at, e.id, l.n

-- name: tie_out
select entity, account, currency, count(*) filter (where item <> '' and held <> 0),
  coalesce(sum(held) filter (where item <> ''), 0)::bigint,
  coalesce(sum(held) filter (where item = ''), 0)::bigint, sum(held)::bigint
from (
  select e.entity, l.account, e.currency, l.item, -sum(l.amount) as held
  from entry_line l join entry e on e.id = l.entry
  where l.account in ('gift-card-liability', 'store-credit-liability')
  group by e.entity, l.account, e.currency, l.item) x
group by entity, account, currency
order by entity, account, currency

-- name: overdrawn
select e.entity, substr(l.item, 6), sum(l.amount)::bigint, e.currency
from entry_line l join entry e on e.id = l.entry
where l.item >= 'card/' and l.item < 'card0'
  and l.account in ('gift-card-liability', 'store-credit-liability')
group by e.entity, l.account, l.item, e.currency
having sum(l.amount) > 0
order by e.entity, l.item

-- name: filled
-- one card in two currencies is two cards
select e.entity, l.account, substr(l.item, 6), e.currency, -sum(l.amount)::bigint,
       max(e.business_date) filter (where l.amount < 0)
from entry_line l join entry e on e.id = l.entry
where l.item >= 'card/' and l.item < 'card0'
  and l.account in ('gift-card-liability', 'store-credit-liability')
group by e.entity, l.account, l.item, e.currency
having sum(l.amount) < 0
order by e.entity, l.account, l.item
