-- What channels earn, out of the books.

-- name: lines
-- Income and expense per order or sale, day and account, with all that was ever sold of it (credits),
-- which is what the rest is shared out by. A line of a fee or chargeback that names its order in its
-- open item belongs to that order.
with line as (
  select e.entity, e.currency, coalesce(substring(l.item from '^order/.*'), e.key) as key,
    coalesce(nullif(e.channel, ''), e.location) as channel, e.posted_date as day, l.account, l.amount
  from entry e join entry_line l on l.entry = e.id
  where (%(entity)s = '' or e.entity = %(entity)s) and l.account like any(%(accounts)s::text[])
)
select entity, key, currency, channel, day, account, sum(amount)::bigint,
  sum(greatest(-amount, 0))::bigint
from line
where (entity, key) in (
  select entity, key from line where day >= %(since)s::date and day <= %(through)s::date)
group by entity, key, currency, channel, day, account
order by entity, key, day, account
