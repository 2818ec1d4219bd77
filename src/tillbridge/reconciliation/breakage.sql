-- Gift cards as the money book has them, and what was told of their breakage.

-- name: cards
-- What is taken back by a void was never filled or redeemed. An adjustment corrects what was filled.
select x.entity, x.currency, substr(x.item, 6),
  coalesce(sum(-x.amount) filter (where x.fills), 0)::bigint,
  coalesce(sum(x.amount) filter (where not x.fills and not x.expires), 0)::bigint,
  coalesce(sum(x.amount) filter (where x.expires), 0)::bigint,
  min(x.business_date), max(x.business_date)
from (
  select e.entity, e.currency, l.item, l.amount, e.business_date,
    e.fact_type = 'GiftCardExpired' as expires,
    e.fact_type = 'GiftCardAdjusted' or (l.amount < 0) = (e.reverses is null) as fills
  from entry_line l join entry e on e.id = l.entry
  where l.item >= 'card/' and l.item < 'card0' and l.account = 'gift-card-liability') x
group by x.entity, x.currency, x.item

-- name: lock
select pg_advisory_xact_lock(84)

-- name: booked
select entity, currency, item, income, escheat, turn from card_breakage

-- name: write
insert into card_breakage (entity, currency, item, income, escheat, turn)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::int[])
on conflict (entity, currency, item)
do update set income = excluded.income, escheat = excluded.escheat, turn = excluded.turn
