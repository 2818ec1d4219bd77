-- Lines to the money they are about: exact references first, then the payment intent, then all
-- lines of an order together. Sets only; a line has one row of what was made of it.

-- name: no_limit
set local statement_timeout = 0

-- name: due
select id, key, payout, currency, amount, state, paid_on, itemised, version, booked, reason, heard_at,
       carried, brought, exists (select from bank_match m where m.payout = payout.id)
from payout where account = %b and due
order by coalesce(paid_on, (heard_at at time zone 'UTC')::date), id for update

-- name: sums
-- per payout what its lines come to; lines in another currency are none of its sum
select p.id, count(l.id) filter (where l.type <> 'payout'),
       coalesce(sum(l.net) filter (where l.type <> 'payout' and l.currency = p.currency), 0)::bigint,
       sum(l.net) filter (where l.type = 'payout' and l.currency = p.currency)::bigint,
       count(l.id) filter (where l.currency <> p.currency),
       coalesce(sum(l.net) filter (where l.currency <> p.currency), 0)::bigint,
       min(l.currency) filter (where l.currency <> p.currency),
       coalesce(sum(l.net) filter (where l.type = 'carried' and l.currency = p.currency), 0)::bigint
from payout p left join settlement_line l on l.payout = p.id
where p.id = any(%b::bigint[]) group by p.id

-- name: brought
-- what stands carried forward at each of these payouts: of those before, less what others took of it
select p.id, (coalesce(sum(e.amount) filter (where e.carried), 0) - coalesce(sum(e.brought), 0)
              - coalesce(sum((select sum(l.net) from settlement_line l
                              where l.payout = e.id and l.type = 'carried'
                                and l.currency = e.currency)), 0))::bigint
from payout p
join payout e on e.account = p.account and e.currency = p.currency and e.tied and not e.due
 and (coalesce(e.paid_on, (e.heard_at at time zone 'UTC')::date), e.id)
     < (coalesce(p.paid_on, (p.heard_at at time zone 'UTC')::date), p.id)
where p.id = any(%b::bigint[]) group by p.id

-- name: residuals
select payout, coalesce(sum(amount) filter (where whole), 0)::bigint
from settlement_residual where payout = any(%b::bigint[]) group by payout

-- name: match
insert into settlement_match (line, payout, how, key, movement, difference, entry)
select l.id, l.payout,
  case when l.type = 'unknown' then 'unknown'
       when not l.type = any(%(movements)s::text[]) then 'own'
       when v.id is null then 'open'
       when v.currency <> l.currency and not seen.is then 'currency'
       else 'reference' end,
  coalesce(v.key, ''), v.id,
  case when v.id is null then 0
       when v.currency = l.currency then l.gross - v.amount
       when seen.is then seen.difference
       else l.gross end,
  e.entry
from settlement_line l
join unnest(%(payouts)s::bigint[], %(entries)s::uuid[]) e (payout, entry) on e.payout = l.payout
left join money_movement v
  on v.reference = l.reference and v.kind = l.type and v.tender = any(%(tenders)s::text[])
 and l.reference <> ''
left join lateral (
  select l.presented_currency = v.currency or l.rate ~ '^[0-9]+(\.[0-9]+)?$' and l.rate::numeric > 0
           and v.currency <> l.currency and l.presented_currency = '' as is,
         case when l.presented_currency = v.currency then l.presented - v.amount
              when l.rate ~ '^[0-9]+(\.[0-9]+)?$' and l.rate::numeric > 0
                   and abs(l.gross / l.rate::numeric - v.amount) <= 1 then 0
              else l.gross end as difference) seen on v.id is not null and v.currency <> l.currency
where not exists (select from settlement_match m where m.line = l.id)
on conflict (line) do nothing

-- name: match_intents
-- one of equal amount before any other; a movement that has its line already is not taken
update settlement_match m set how = 'intent', key = x.key, movement = x.movement,
  difference = x.gross - x.amount
from (
  select distinct on (l.id) l.id, v.id as movement, v.key, l.gross, v.amount
  from settlement_match o
  join settlement_line l on l.id = o.line
  join money_movement v on v.kind = l.type and v.tender = any(%(tenders)s::text[])
   and v.currency = l.currency
   and (v.intent = l.reference and l.reference <> '' or v.intent = l.parent and l.parent <> ''
        or v.reference = l.parent and l.parent <> '')
  where o.payout = any(%(payouts)s::bigint[]) and o.how = 'open'
    and not exists (select from settlement_match t where t.movement = v.id)
  order by l.id, v.amount <> l.gross, v.id) x
where m.line = x.id

-- name: match_references
-- lines that were open, and whose money was told since; as in `match`
update settlement_match m set key = v.key, movement = v.id,
  how = case when v.currency <> l.currency and not seen.is then 'currency' else 'reference' end,
  difference = case when v.currency = l.currency then l.gross - v.amount
                    when seen.is then seen.difference else l.gross end
from settlement_match o
join settlement_line l on l.id = o.line and l.reference <> ''
join money_movement v on v.reference = l.reference and v.kind = l.type
 and v.tender = any(%(tenders)s::text[])
cross join lateral (
  select l.presented_currency = v.currency or l.rate ~ '^[0-9]+(\.[0-9]+)?$' and l.rate::numeric > 0
           and l.presented_currency = '' as is,
         case when l.presented_currency = v.currency then l.presented - v.amount
              when l.rate ~ '^[0-9]+(\.[0-9]+)?$' and l.rate::numeric > 0
                   and abs(l.gross / l.rate::numeric - v.amount) <= 1 then 0
              else l.gross end as difference) seen
where o.payout = any(%(payouts)s::bigint[]) and o.how = 'open' and m.line = o.line

-- name: name_entries
-- lines of payouts of which nothing new was told are in the entry of what was told before
update settlement_match m set entry = x.before
from unnest(%b::bigint[], %b::uuid[], %b::uuid[]) x (payout, expected, before)
where m.payout = x.payout and m.entry = x.expected

-- name: match_orders
-- all lines of an order and type in a payout are one movement: their sum is held against the book
with waiting as (
  select l.id, l.payout, l.order_name, l.type, l.currency, l.gross
  from settlement_match o join settlement_line l on l.id = o.line
  where o.payout = any(%(payouts)s::bigint[]) and o.how = 'open' and l.order_name <> ''),
named as (
  select n.order_name, 'order/' || c || '/' || n.order_name as key
  from (select distinct order_name from waiting) n, unnest(%(orders)s::text[]) c
  union
  select n.order_name, s.key
  from (select distinct order_name from waiting) n
  join order_state s on s.number in (n.order_name, '#' || n.order_name)),
held as (
  select n.order_name, v.key, v.kind, v.currency, sum(v.amount) as held
  from named n join money_movement v on v.key = n.key
  where v.tender = any(%(tenders)s::text[])
    and not exists (select from settlement_match t where t.movement = v.id)
  group by n.order_name, v.key, v.kind, v.currency),
found as (
  select w.id, h.key, h.held, sum(w.gross) over g as total,
         row_number() over (partition by w.payout, w.order_name, w.type order by w.id desc) = 1
           as last
  from waiting w
  join held h on h.order_name = w.order_name and h.kind = w.type and h.currency = w.currency
  window g as (partition by w.payout, w.order_name, w.type))
update settlement_match m set how = 'order', key = f.key,
  difference = case when f.last then f.total - f.held else 0 end
from found f where m.line = f.id

-- name: settle_parts
-- a movement that several lines are about: what all of them come to, on the newest
with again as (
  select m.movement from settlement_match m
  where m.movement in (select movement from settlement_match
                       where payout = any(%(payouts)s::bigint[]) and movement is not null)
  group by m.movement having count(*) > 1 and bool_and(m.how <> 'accepted')),
ranked as (
  select m.line, sum(l.gross) over (partition by m.movement) - v.amount as rest,
         row_number() over (partition by m.movement order by m.line desc) = 1 as last
  from again a
  join settlement_match m on m.movement = a.movement
  join settlement_line l on l.id = m.line
  join money_movement v on v.id = m.movement and v.currency = l.currency),
changed as (
  update settlement_match m set difference = case when r.last then r.rest else 0 end
  from ranked r where r.line = m.line
    and m.difference is distinct from case when r.last then r.rest else 0 end
  returning m.payout)
-- a part in an earlier payout differs no more: that payout's cases are looked at again
update payout set due = true
where id in (select payout from changed) and id <> all(%(payouts)s::bigint[])

-- name: rows
-- what the lines take out of the provider's debt, by kind and tender; the money itself is in the
-- book already, and so is a fee that its dispute was told with
select l.payout, x.kind, coalesce(nullif(v.tender, ''), nullif(l.tender, ''), %(tender)s) as tender,
       sum(x.amount)::bigint, count(*)
from settlement_line l
join settlement_match m on m.line = l.id
left join money_movement v on v.id = m.movement
cross join lateral (values
  ('fee', l.fee - coalesce(v.fee, 0)),
  (case when l.type = any(%(costs)s::text[]) then l.type end, -l.gross)) x (kind, amount)
where l.payout = any(%(payouts)s::bigint[]) and x.kind is not null and x.amount <> 0
group by 1, 2, 3

-- name: nets
-- where an account settles several tenders: what each of them brings to the payout
select l.payout, coalesce(nullif(v.tender, ''), nullif(l.tender, ''), %b) as tender, sum(l.net)::bigint
from settlement_line l
join settlement_match m on m.line = l.id
left join money_movement v on v.id = m.movement
where l.payout = any(%b::bigint[]) and l.type <> 'payout' group by 1, 2

-- name: residual_rows
select payout, kind, coalesce(nullif(tender, ''), %b), (-sum(amount))::bigint, count(*)
from settlement_residual where payout = any(%b::bigint[]) group by 1, 2, 3

-- name: carried
-- what the book holds of converted money, in functional currency, against what was settled of it
select l.payout, v.tender, (sum(c.amount) - sum(l.gross))::bigint, count(*)
from settlement_match m
join settlement_line l on l.id = m.line
join money_movement v on v.id = m.movement and v.currency <> l.currency
cross join lateral (
  select el.amount from entry e join entry_line el on el.entry = e.id
  where e.key = v.key and el.account = 'clearing/' || v.tender and el.txn_currency = v.currency
    and el.txn_amount = v.amount and e.currency = l.currency
  order by e.business_date, e.id limit 1) c
where m.payout = any(%b::bigint[]) and m.how in ('reference', 'intent') and m.difference = 0
  and l.currency = %b
group by 1, 2

-- name: bank_rows
select b.payout, l.account, sum(b.amount)::bigint, count(*), max(l.booked_on)
from bank_match b join bank_line l on l.id = b.bank_line
where b.payout = any(%b::bigint[]) group by 1, 2

-- name: write
update payout p set version = x.version, booked = x.booked::jsonb, tied = x.tied, due = false,
  carried = x.carried, brought = x.brought
from unnest(%b::bigint[], %b::int[], %b::text[], %b::boolean[], %b::boolean[], %b::bigint[])
     x (id, version, booked, tied, carried, brought)
where p.id = x.id

-- name: wait_again
-- payouts with lines whose money was not told: those whose money came since are worked out again
update payout set due = true where not due and account = %(account)s and (not tied or id in (
  select m.payout from settlement_match m
  join settlement_line l on l.id = m.line
  join money_movement v on v.kind = l.type and v.tender = any(%(tenders)s::text[])
   and (v.reference = l.reference or v.currency = l.currency
        and (v.reference = l.parent or v.intent <> '' and v.intent in (l.reference, l.parent)))
  where m.how = 'open' and l.account = %(account)s))

-- name: waiting
select m.payout, m.how, count(*), sum(l.net)::bigint, sum(m.difference)::bigint,
       (array_agg(l.line || ' (' || l.told || ')' order by l.id))[1:20],
       (array_agg(l.gross order by l.id))[1:20]
from settlement_match m join settlement_line l on l.id = m.line
where m.payout = any(%b::bigint[]) and m.how in ('open', 'unknown', 'currency')
group by m.payout, m.how

-- name: differing
select m.payout, count(*), sum(m.difference)::bigint,
       (array_agg(l.line || ' of ' || m.key order by l.id))[1:20],
       (array_agg(m.difference order by l.id))[1:20]
from settlement_match m join settlement_line l on l.id = m.line
where m.payout = any(%b::bigint[]) and m.difference <> 0 and m.how in ('reference', 'intent', 'order')
group by m.payout
