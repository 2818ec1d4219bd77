-- Tie-outs: the books against providers and banks.

-- name: clearing
-- owed: per order what its movements left in the account, less what was settled of it; what was
-- settled otherwise than booked is a difference and not owed; what payouts carry forward is taken by
-- the next ones
with booked as (
  select e.key, e.fact_type, sum(l.amount) as amount
  from entry_line l join entry e on e.id = l.entry
  where l.account = %(account)s and e.entity = %(entity)s group by e.key, e.fact_type),
settled as (
  select sum(s.gross - m.difference) filter (where m.key <> '') as gross
  from settlement_match m join settlement_line s on s.id = m.line
  left join money_movement v on v.id = m.movement
  where s.account = %(name)s and s.currency = %(currency)s
    and coalesce(nullif(v.tender, ''), nullif(s.tender, ''), %(first)s) = %(tender)s)
select coalesce((select sum(amount) from booked), 0),
       coalesce((select sum(amount) from booked
                 where fact_type not in ('SettlementMatched', 'SaleRung', 'SaleVoided')), 0)
         - coalesce((select gross from settled), 0)
         - coalesce((select sum(v.fee) from settlement_match m
                     join settlement_line s on s.id = m.line
                     join money_movement v on v.id = m.movement
                     where s.account = %(name)s and v.fee <> 0) * -1, 0)
         - coalesce((select sum(b.value::bigint) from payout p, jsonb_each_text(p.booked) b
                     where p.account = %(name)s
                       and b.key = E'fx_realised\x1f' || %(tender)s || E'\x1f'), 0)
         + case when %(tender)s = %(first)s then coalesce(
             (select sum(case when p.carried then p.amount else 0 end - p.brought) from payout p
              where p.account = %(name)s and p.currency = %(currency)s and p.tied), 0) else 0 end
         - coalesce((select sum(s.net) from settlement_line s join payout p on p.id = s.payout
                     where s.account = %(name)s and s.type = 'carried' and s.currency = %(currency)s
                       and p.tied and coalesce(nullif(s.tender, ''), %(first)s) = %(tender)s), 0)

-- name: clearing_parts
select * from (
  select 'part' as kind, 'line ' || s.line || ' of payout ' || p.payout || ' (' || s.told || '): '
           || case m.how when 'open' then 'no such money in the hub'
                         when 'unknown' then 'of unknown type' else 'in another currency' end as what,
         -s.gross as amount
  from settlement_match m join settlement_line s on s.id = m.line join payout p on p.id = s.payout
  where s.account = %(name)s and m.how in ('open', 'unknown', 'currency') and m.key = ''
    and coalesce(nullif(s.tender, ''), %(first)s) = %(tender)s
  union all
  select 'part', 'line ' || s.line || ' of payout ' || p.payout || ' for ' || m.key
           || ': settled otherwise than booked', -m.difference
  from settlement_match m join settlement_line s on s.id = m.line join payout p on p.id = s.payout
  left join money_movement v on v.id = m.movement
  where s.account = %(name)s and m.difference <> 0 and m.how <> 'accepted'
    and coalesce(nullif(v.tender, ''), nullif(s.tender, ''), %(first)s) = %(tender)s
  union all
  select 'part', 'cards taken at tills, told by no transaction', sum(l.amount)
  from entry_line l join entry e on e.id = l.entry
  where l.account = %(account)s and e.entity = %(entity)s
    and e.fact_type in ('SaleRung', 'SaleVoided')
  having sum(l.amount) <> 0
  union all
  select 'open', x.key, x.amount from (
    select e.key, sum(l.amount) - coalesce((
        select sum(s.gross - m.difference)
        from settlement_match m join settlement_line s on s.id = m.line
        where m.key = e.key and s.account = %(name)s), 0) as amount
    from entry_line l join entry e on e.id = l.entry
    where l.account = %(account)s and e.entity = %(entity)s
      and e.fact_type not in ('SettlementMatched', 'SaleRung', 'SaleVoided')
    group by e.key) x
  where x.amount <> 0
  union all
  select 'open', 'carried forward to the next payout', sum(x.amount) from (
    select case when p.carried then p.amount else 0 end - p.brought as amount from payout p
    where p.account = %(name)s and p.currency = %(currency)s and p.tied and %(tender)s = %(first)s
    union all
    select -s.net from settlement_line s join payout p on p.id = s.payout
    where s.account = %(name)s and s.type = 'carried' and s.currency = %(currency)s and p.tied
      and coalesce(nullif(s.tender, ''), %(first)s) = %(tender)s) x
  having sum(x.amount) <> 0) y
order by kind, abs(amount) desc, what

-- name: transit
select coalesce((select sum(l.amount) from entry_line l join entry e on e.id = l.entry
                 where l.account = 'payouts-in-transit' and e.entity = %(entity)s), 0),
       coalesce((select sum(p.amount - coalesce((select sum(m.amount) from bank_match m
                                                 where m.payout = p.id), 0)
                            + coalesce((select sum(r.amount) from settlement_residual r
                                        where r.payout = p.id and r.kind = 'bank_charge'), 0))
                 from payout p where p.entity = %(entity)s and p.tied and not p.carried
                   and p.state in ('', 'in_transit', 'paid')), 0)

-- name: transit_parts
select what, amount from (
  select p.account || ' ' || p.payout || ' for ' || coalesce(p.paid_on::text, 'some day') as what,
         p.amount - coalesce((select sum(m.amount) from bank_match m where m.payout = p.id), 0)
           + coalesce((select sum(r.amount) from settlement_residual r
                       where r.payout = p.id and r.kind = 'bank_charge'), 0) as amount
  from payout p where p.entity = %(entity)s and p.tied and not p.carried and p.state in ('', 'in_transit', 'paid')) x
where amount <> 0 order by abs(amount) desc, what

-- name: bank
select x.bank, x.entity, x.currency,
       coalesce((select sum(l.amount) from entry_line l join entry e on e.id = l.entry
                 where l.account = 'bank/' || x.bank and e.entity = x.entity), 0), x.got
from (select bank, entity, currency, sum(got) as got from (
        select l.account as bank, p.entity, l.currency, m.amount as got
        from bank_match m join bank_line l on l.id = m.bank_line join payout p on p.id = m.payout
        where p.account = any(%(accounts)s::text[]) and p.tied
        union all
        select l.account, r.entity, l.currency, m.amount
        from bank_payment m join bank_line l on l.id = m.bank_line
        join receivable r on r.key = m.invoice
        where l.account = any(%(accounts)s::text[])) y
      group by 1, 2, 3) x
order by 1, 2

-- name: payouts
select p.currency,
       coalesce(sum((select sum(l.net) from settlement_line l
                     where l.payout = p.id and l.type <> 'payout')), 0)
         + coalesce(sum((select sum(r.amount) from settlement_residual r
                         where r.payout = p.id and r.whole)), 0) + coalesce(sum(p.brought), 0),
       coalesce(sum(p.amount), 0)
from payout p where p.account = %b and p.itemised
  and (p.amount is not null or not p.tied)
  and exists (select from settlement_line l where l.payout = p.id) and p.amount is not null
group by p.currency order by 1

-- name: payout_parts
select * from (
  select 'payout ' || p.payout as what,
         coalesce((select sum(l.net) from settlement_line l
                   where l.payout = p.id and l.type <> 'payout'), 0)
         + coalesce((select sum(r.amount) from settlement_residual r
                     where r.payout = p.id and r.whole), 0) - p.amount as amount
  from payout p where p.account = %b and p.currency = %b and not p.tied and p.itemised
    and p.amount is not null
    and exists (select from settlement_line l where l.payout = p.id)) x
where amount <> 0 order by abs(amount) desc

-- name: payout
select id, account, payout, entity, currency, amount, state, paid_on, tied, carried, brought
from payout where key = %b

-- name: payout_types
select type, count(*), sum(gross)::bigint, sum(fee)::bigint, sum(net)::bigint
from settlement_line where payout = %b group by type order by type

-- name: payout_lines
-- those that wait for somebody, then the first ones
select l.line, l.type, l.told, l.gross, coalesce(m.how, 'held'), coalesce(m.key, ''),
       coalesce(m.difference, 0)
from settlement_line l left join settlement_match m on m.line = l.id
where l.payout = %b
order by coalesce(m.how in ('open', 'unknown', 'currency')
                  or m.difference <> 0 and m.how <> 'accepted', true) desc,
         coalesce(m.how, '') = 'accepted' desc, l.id
limit 50

-- name: payout_entries
select l.account, e.posted_date, l.txn_currency, sum(l.txn_amount)::bigint
from entry e join entry_line l on l.entry = e.id where e.key = %b
group by l.account, e.posted_date, l.txn_currency order by e.posted_date, l.account

-- name: payout_bank
select l.account, s.statement, l.booked_on, m.amount, l.text
from bank_match m join bank_line l on l.id = m.bank_line join bank_statement s on s.id = l.statement
where m.payout = %b order by l.booked_on, l.id
