-- A settlement file on its way into the tables. Temporary tables end with the transaction.

-- name: no_limit
-- a file of a million lines takes longer than any statement of the flow may
set local statement_timeout = 0

-- name: make_told
create temp table if not exists told_line (
  line text, payout text, n int, type text, told text, gross bigint, fee bigint, net bigint,
  currency text, tender text, reference text, parent text, order_name text, at timestamptz,
  presented bigint, presented_currency text, rate text, extra text
) on commit drop;
truncate told_line

-- name: copy_told
copy told_line from stdin

-- name: analyze_told
analyze told_line (line, payout)

-- name: doubled
select min(payout), line, min(gross - fee), sum(net)::bigint from told_line
group by line having count(*) > 1 limit 1000

-- name: drop_doubled
delete from told_line t using (
  select line, min(n) as first from told_line group by line having count(*) > 1) d
where t.line = d.line and t.n > d.first

-- name: add_file
insert into settlement_file (account, name, sha256, lines, broken, at) values (%b, %b, %b, %b, %b, %b)
on conflict (account, sha256) do update set name = excluded.name
returning id

-- name: add_payouts
-- a payout's currency is its head's, else that of most of its lines
insert into payout (key, account, payout, entity, currency, heard_at)
select 'payout/' || replace(replace(a, '%%', '%%25'), '/', '%%2F') || '/'
         || replace(replace(t.payout, '%%', '%%25'), '/', '%%2F'), a, t.payout, e, t.currency, n
from (values (%b::text, %b::text, %b::timestamptz)) x (a, e, n),
     (select payout, mode() within group (order by currency) as currency from told_line
      group by payout) t
order by t.payout
on conflict (key) do update set due = true

-- name: heads
-- what a head leaves open an earlier one may have said; a payout that ended does not come back
with told as (
  select %b::text as account, %b::text as entity, %b::timestamptz as heard_at, x.*
  from unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::date[],
              %b::boolean[], %b::text[], %b::text[])
       x (key, payout, currency, amount, state, paid_on, itemised, bank_reference, reason))
insert into payout as p (key, account, payout, entity, currency, amount, state, paid_on, itemised,
                         bank_reference, reason, heard_at)
select key, account, payout, entity, currency, amount, state, paid_on, itemised, bank_reference,
       reason, heard_at from told order by key
on conflict (key) do update set
  due = true,
  currency = case when p.amount is null then excluded.currency else p.currency end,
  amount = coalesce(excluded.amount, p.amount),
  state = case when p.state in ('failed', 'canceled') or excluded.state = '' then p.state
               else excluded.state end,
  paid_on = coalesce(excluded.paid_on, p.paid_on),
  itemised = excluded.itemised,
  bank_reference = coalesce(nullif(excluded.bank_reference, ''), p.bank_reference),
  reason = coalesce(nullif(excluded.reason, ''), p.reason)
where (excluded.amount is not null and excluded.amount is distinct from p.amount)
   or (excluded.state <> '' and excluded.state <> p.state)
   or (excluded.paid_on is not null and excluded.paid_on is distinct from p.paid_on)
   or excluded.itemised <> p.itemised
   or (excluded.bank_reference <> '' and excluded.bank_reference <> p.bank_reference)
returning payout, state, amount

-- name: told_twice
select t.payout, t.line, s.net, t.net
from told_line t join settlement_line s on s.account = %(account)s and s.line = t.line
join payout p on p.id = s.payout
where (t.gross, t.fee, t.currency, t.type, t.payout)
      is distinct from (s.gross, s.fee, s.currency, s.type, p.payout)
limit 1000

-- name: add_lines
insert into settlement_line (account, line, payout, file, n, type, told, gross, fee, net, currency,
                             tender, reference, parent, order_name, at, presented,
                             presented_currency, rate, extra)
select %(account)s, t.line, p.id, %(file)s, t.n, t.type, t.told, t.gross, t.fee, t.net, t.currency,
       t.tender, t.reference, t.parent, t.order_name, t.at, t.presented, t.presented_currency,
       t.rate, t.extra
from told_line t join payout p on p.account = %(account)s and p.payout = t.payout
on conflict (account, line) do nothing

-- name: sums
select payout, currency, type, count(*), sum(gross), sum(fee),
       sum(hashtextextended(line || ' ' || type || ' ' || gross || ' ' || fee, 0)::numeric)
from told_line group by payout, currency, type order by payout, currency, type

-- name: make_told_bank
create temp table if not exists told_bank (
  line text, statement text, n int, amount bigint, currency text, booked_on date, reference text,
  text text, told text, reversal boolean
) on commit drop;
truncate told_bank

-- name: copy_told_bank
copy told_bank from stdin

-- name: add_statements
insert into bank_statement (account, statement, number, currency, opening, closing, last_day, file,
                            lines, net, at)
select a, s, n, c, o, cl, ld, f, 0, 0, at
from (values (%b::text, %b::bigint, %b::timestamptz)) y (a, f, at),
     unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::date[])
     x (s, n, c, o, cl, ld)
order by s
on conflict (account, statement) do nothing
returning statement

-- name: add_bank_lines
insert into bank_line (account, statement, line, n, amount, currency, booked_on, reference, text,
                       told, reversal)
select %(account)s, s.id, t.line,
       row_number() over (partition by t.statement, t.line order by t.n), t.amount, t.currency,
       t.booked_on, t.reference, t.text, t.told, t.reversal
from told_bank t
join bank_statement s on s.account = %(account)s and s.statement = t.statement and s.file = %(file)s
order by t.n
on conflict (statement, line, n) do nothing

-- name: statements_again
-- statements that another file told before, with other lines
select s.statement, s.lines, s.net, count(t.n)::int, coalesce(sum(t.amount), 0)::bigint, s.currency
from bank_statement s
left join told_bank t on t.statement = s.statement
where s.account = %b and s.file <> %b and s.statement = any(%b::text[])
group by s.id having (s.lines, s.net) <> (count(t.n), coalesce(sum(t.amount), 0))

-- name: bank_sums
update bank_statement b set lines = x.lines, net = x.net
from (select s.id, s.statement, count(l.id)::int as lines, coalesce(sum(l.amount), 0)::bigint as net,
             coalesce(sum(hashtextextended(l.line || ' ' || l.amount, 0)::numeric), 0) as hash
      from bank_statement s left join bank_line l on l.statement = s.id
      where s.account = %b and s.file = %b group by s.id, s.statement) x
where b.id = x.id
returning x.statement, x.lines, x.net, x.hash
