-- Payouts to the bank's lines: by a reference, by amount and day, by sums of a day.

-- name: pairs_by_reference
-- a line of the bank that holds a payout's reference; sums decide whether it is that payout
insert into bank_match (bank_line, payout, amount, how)
with line as (
  select l.id, l.currency, l.amount - coalesce(sum(m.amount), 0) as rest, l.reference, l.text
  from bank_line l left join bank_match m on m.bank_line = l.id
  where l.account = %(bank)s group by l.id
  having l.amount <> coalesce(sum(m.amount), 0)),
sent as (
  select p.id, p.currency, p.payout, p.bank_reference, p.amount - coalesce(sum(m.amount), 0)
           - coalesce((select sum(-r.amount) from settlement_residual r
                       where r.payout = p.id and r.kind = 'bank_charge'), 0) as rest
  from payout p left join bank_match m on m.payout = p.id
  where p.account = %(account)s and p.amount is not null and p.state in ('', 'in_transit', 'paid')
  group by p.id),
word as (
  select distinct l.id, w.word
  from line l cross join lateral regexp_split_to_table(l.reference || ' ' || l.text, '[^A-Za-z0-9_-]+')
       w (word) where length(w.word) >= 4),
pair as (
  select distinct l.id as line, p.id as payout, l.rest as line_rest, p.rest as payout_rest
  from word w join line l on l.id = w.id
  join sent p on w.word in (p.payout, nullif(p.bank_reference, '')) and p.currency = l.currency
  where p.rest <> 0),
of_line as (select line, sum(payout_rest) as total, count(*) as payouts from pair group by line),
of_payout as (select payout, sum(line_rest) as total, count(*) as lines from pair group by payout)
select p.line, p.payout,
       case when a.total = p.line_rest then p.payout_rest else p.line_rest end,
       case when a.payouts = 1 and b.lines = 1 then 'reference' else 'sum' end
from pair p join of_line a using (line) join of_payout b using (payout)
where a.total = p.line_rest or b.total = p.payout_rest
on conflict do nothing

-- name: pairs_by_amount
-- lines that name the provider: equal amounts in the order of their days
insert into bank_match (bank_line, payout, amount, how)
with line as (
  select l.id, l.currency, l.amount, l.booked_on,
         row_number() over (partition by l.currency, l.amount order by l.booked_on, l.id) as n
  from bank_line l
  where l.account = %(bank)s and not exists (select from bank_match m where m.bank_line = l.id)
    and exists (select from unnest(%(texts)s::text[]) t
                where position(lower(t) in lower(l.text || ' ' || l.reference)) > 0)),
sent as (
  select x.*, row_number() over (partition by currency, rest order by paid_on, id) as n
  from (select p.id, p.currency, p.paid_on, p.amount + coalesce(
                 (select sum(r.amount) from settlement_residual r
                  where r.payout = p.id and r.kind = 'bank_charge'), 0) as rest
        from payout p
        where p.account = %(account)s and p.amount <> 0 and p.state in ('', 'in_transit', 'paid')
          and not exists (select from bank_match m where m.payout = p.id)) x)
select l.id, p.id, l.amount, 'amount'
from sent p join line l on l.currency = p.currency and l.amount = p.rest and l.n = p.n
where p.paid_on is null or l.booked_on between p.paid_on - 3 and p.paid_on + %(days)s
on conflict do nothing

-- name: pairs_by_sum
-- payouts of a day in one line of the bank, and lines of a day for one payout
insert into bank_match (bank_line, payout, amount, how)
with line as (
  select l.id, l.currency, l.amount, l.booked_on from bank_line l
  where l.account = %(bank)s and not exists (select from bank_match m where m.bank_line = l.id)
    and exists (select from unnest(%(texts)s::text[]) t
                where position(lower(t) in lower(l.text || ' ' || l.reference)) > 0)),
sent as (
  select p.id, p.currency, p.amount, p.paid_on from payout p
  where p.account = %(account)s and p.amount <> 0 and p.state in ('', 'in_transit', 'paid')
    and p.paid_on is not null and not exists (select from bank_match m where m.payout = p.id)
    and not p.carried),
many as (
  select d.currency, d.paid_on, min(l.id) as line
  from (select currency, paid_on, sum(amount) as total from sent
        group by currency, paid_on having count(*) > 1) d
  join line l on l.currency = d.currency and l.amount = d.total
   and l.booked_on between d.paid_on - 3 and d.paid_on + %(days)s
  group by d.currency, d.paid_on having count(*) = 1),
one as (
  select min(p.id) as payout, d.currency, d.booked_on
  from (select currency, booked_on, sum(amount) as total from line
        group by currency, booked_on having count(*) > 1) d
  join sent p on p.currency = d.currency and p.amount = d.total
   and d.booked_on between p.paid_on - 3 and p.paid_on + %(days)s
  group by d.currency, d.booked_on having count(*) = 1)
select m.line, p.id, p.amount, 'sum'
from many m join sent p on p.currency = m.currency and p.paid_on = m.paid_on
union all
select l.id, o.payout, l.amount, 'sum'
from one o join line l on l.currency = o.currency and l.booked_on = o.booked_on
where not exists (select from many m where m.line = l.id)
on conflict do nothing

-- name: mark_banked
update payout p set due = true
where p.account = %b and not p.due and p.tied
  and coalesce((select sum(amount) from bank_match m where m.payout = p.id), 0)
      <> coalesce((select sum(b.value::bigint) from jsonb_each_text(p.booked) b
                   where split_part(b.key, E'\x1f', 1) = 'banked'), 0)

-- name: not_at_bank
-- what is below zero at a provider that carries forward is not expected there
select p.key, p.currency, p.amount - coalesce(sum(m.amount), 0)
         + coalesce((select sum(r.amount) from settlement_residual r
                     where r.payout = p.id and r.kind = 'bank_charge'), 0), p.amount, p.paid_on
from payout p left join bank_match m on m.payout = p.id
where p.account = %b and p.amount <> 0 and p.state in ('', 'in_transit', 'paid')
  and p.paid_on < %b::date and (p.amount > 0 or not %b)
group by p.id
having p.amount <> coalesce(sum(m.amount), 0)
         - coalesce((select sum(r.amount) from settlement_residual r
                     where r.payout = p.id and r.kind = 'bank_charge'), 0)

-- name: unexplained
select l.id, s.statement, l.line, l.n, l.amount - coalesce(sum(m.amount), 0), l.currency, l.booked_on,
       l.text
from bank_line l join bank_statement s on s.id = l.statement
left join bank_match m on m.bank_line = l.id
where l.account = %b
  and exists (select from unnest(%b::text[]) t
              where position(lower(t) in lower(l.text || ' ' || l.reference)) > 0)
group by l.id, s.statement
having l.amount <> coalesce(sum(m.amount), 0)
limit 1000

-- name: statements
-- opening and lines against closing, and against the statement before
select account, statement, currency, opening, closing, net, lines,
       lag(closing) over w, lag(statement) over w
from bank_statement where account = any(%b::text[])
window w as (partition by account, number, currency order by last_day, id)
