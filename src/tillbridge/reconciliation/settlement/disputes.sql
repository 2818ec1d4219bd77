-- Disputes that only the settlement tells of.

-- name: untold
-- lines whose dispute nobody told, about a payment of an order that is known: by the payment they
-- name, else by the order when it has one payment only
with waiting as (
  select l.reference as dispute, l.type, l.currency, min(l.parent) as parent,
         min(l.order_name) as order_name, sum(l.gross)::bigint as gross, sum(l.fee)::bigint as fee,
         min(l.at) as at, max(p.paid_on) as paid_on
  from settlement_match m
  join settlement_line l on l.id = m.line
  join payout p on p.id = l.payout
  where m.how = 'open' and l.account = %(account)s and l.reference <> ''
    and l.type in ('chargeback', 'chargeback_reversed')
  group by l.reference, l.type, l.currency)
select w.dispute, w.type, w.currency, w.gross, w.fee, w.at, w.paid_on, v.key, v.tender, v.reference,
       v.intent
from waiting w
cross join lateral (
  select s.key, s.tender, s.reference, s.intent from money_movement s
  where w.type = 'chargeback' and w.gross < 0 and w.parent <> '' and s.kind = 'sale'
    and (s.reference = w.parent or s.intent = w.parent)
    and s.tender = any(%(tenders)s::text[]) and s.currency = w.currency
  union all
  select min(s.key), min(s.tender), min(s.reference), min(s.intent) from money_movement s
  where w.type = 'chargeback' and w.gross < 0 and w.parent = '' and w.order_name <> ''
    and s.kind = 'sale' and s.key in (select 'order/' || c || '/' || w.order_name
                                      from unnest(%(orders)s::text[]) c)
    and s.tender = any(%(tenders)s::text[]) and s.currency = w.currency
  having count(*) = 1
  union all
  select s.key, s.tender, s.reference, s.intent from money_movement s
  where w.type = 'chargeback_reversed' and s.kind = 'chargeback' and s.reference = w.dispute
    and s.tender = any(%(tenders)s::text[]) and s.currency = w.currency
  limit 1) v
where v.key like 'order/%%'
order by w.type, w.dispute
