-- What channels earn, out of the books.

-- name: lines
-- Income and expense per order or sale, day and account, with all that was ever sold of it (credits),
-- which is what the rest is shared out by. A line of a fee or chargeback that names its order in its
-- open item belongs to that order. Fees and commissions of a payout are booked in one sum; each of its
-- lines says which order its part is of, and the payout keeps the rest.
with booked as (
  select e.id, e.entity, e.currency, e.key, e.fact_type, e.posted_date as day, l.account, l.amount,
    coalesce(substring(l.item from '^order/.*'), e.key) as of,
    coalesce(nullif(e.channel, ''), e.location) as channel
  from entry e join entry_line l on l.entry = e.id
  where (%(entity)s = '' or e.entity = %(entity)s) and l.account like any(%(accounts)s::text[])
), part as (
  select b.entity, b.currency, b.key, m.key as of, b.day, b.account, x.amount
  from booked b
  join payout p on p.key = b.key
  join settlement_line s on s.payout = p.id and s.currency = b.currency
  join settlement_match m on m.line = s.id and m.entry = b.id and m.key like 'order/%%'
  left join money_movement v on v.id = m.movement
  cross join lateral (values
    ('fees', s.fee - coalesce(v.fee, 0)),
    ('commissions', case when s.type = 'commission' then -s.gross end)) x (what, amount)
  where b.fact_type = 'SettlementMatched' and x.amount <> 0
    and b.account in (x.what, x.what || '/' || coalesce(nullif(v.tender, ''), nullif(s.tender, ''),
                                                       split_part(b.account, '/', 2)))
), line as (
  select entity, currency, of as key, channel, day, account, amount from booked
  union all
  select entity, currency, of, '', day, account, amount from part
  union all
  select entity, currency, key, '', day, account, -amount from part
)
select entity, key, currency, channel, day, account, sum(amount)::bigint,
  sum(greatest(-amount, 0))::bigint
from line
where (entity, key) in (
  select entity, key from line where day >= %(since)s::date and day <= %(through)s::date)
group by entity, key, currency, channel, day, account
order by entity, key, day, account

-- name: sold
-- list value of every line of these orders that was earned; of nothing earned none can be known
select r.key, coalesce(nullif(l ->> 'department', ''), 'unassigned'), coalesce(l ->> 'line', ''),
  sum((l ->> 'list')::bigint)::bigint
from record r
cross join lateral json_array_elements(convert_from(r.body, 'UTF8')::json -> 'lines') l
where r.key = any(%b::text[]) and r.type = 'SaleRecognised' and coalesce(l ->> 'kind', 'goods') = 'goods'
group by 1, 2, 3 having sum((l ->> 'list')::bigint) > 0
