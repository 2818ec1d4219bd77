-- Money that was taken and that no settlement tells of.

-- name: unsettled
-- by month, but for locked ones: lines of a payout that is held are there, whatever they wait for; a
-- line that names its order alone is about all of its money. Each way a line may name it is asked
-- alone, so that a large payout that is held is hashed and not walked through for every payment.
with held as materialized (
  select l.reference, l.parent, l.order_name from payout p join settlement_line l on l.payout = p.id
  where p.account = %(account)s and not p.tied)
select to_char(v.at at time zone 'UTC', 'YYYY-MM-01'), v.currency, count(*), sum(v.amount)::bigint,
  min(v.at at time zone 'UTC')::date, max(v.at at time zone 'UTC')::date
from money_movement v
where v.kind = 'sale' and v.tender = any(%(tenders)s::text[])
  and v.at < %(before)s
  and not exists (select from settlement_match m where m.movement = v.id)
  and not exists (select from settlement_match m
                  where m.key = v.key and m.movement is null and m.how in ('order', 'accepted'))
  and not exists (select from held h where h.reference = v.reference)
  and not exists (select from held h where h.parent = v.reference)
  and not exists (select from held h where h.reference = v.intent and h.reference <> '')
  and not exists (select from held h where h.parent = v.intent and h.parent <> '')
  and not exists (select from held h
                  where h.order_name = substring(v.key from '[^/]*$') and h.order_name <> '')
  and not exists (select from period d
                  where d.entity = %(entity)s and d.state = 'locked'
                    and d.period = to_char(v.at at time zone 'UTC', 'YYYY-MM'))
  and exists (select from entry e where e.key = v.key and e.entity = %(entity)s)
group by 1, 2 order by 1, 2

-- name: newest
select max(paid_on) from payout where account = %b
