-- Lines of the bank that name invoices on account.

-- name: named
-- Lines of an account that name an invoice on account, and are neither a payout nor told before. An
-- order's bare number may be any number, so it counts only after a # or where the amount is what is
-- open of the order.
with owed as (
  select r.key, r.order_key, r.n, r.due_on, r.entity, r.currency, r.open, r.number, r.erp_number,
         ltrim(r.order_number, '#') as order_number,
         sum(r.open) over (partition by r.order_key) as of_order
  from receivable r
  where r.kind = 'invoice' and r.entity = %(entity)s
    and (r.open <> 0 or r.due_on > %(since)s::date)
    and exists (select from bank_line b where b.account = %(account)s)),
word as (
  select o.key, upper(x.word) as word, x.bare
  from owed o cross join lateral (values (o.number, false), (o.erp_number, false),
                                         (o.order_number, true)) x (word, bare)
  where length(x.word) >= 3),
hit as (
  select l.id as line, w.key, bool_and(w.bare) as bare
  from word w
  join bank_line l
    on regexp_split_to_array(upper(l.reference || ' ' || l.text), '[^A-Z0-9_/-]+') @> array[w.word]
   and l.amount > 0
  where l.account = %(account)s
  group by l.id, w.key)
select l.id, s.statement, l.line, l.n, l.booked_on, l.currency,
       l.amount, o.key, o.order_key, o.open
from hit h
join bank_line l on l.id = h.line and not l.reversal
join bank_statement s on s.id = l.statement
join owed o on o.key = h.key and o.currency = l.currency
where not exists (select from bank_payment p where p.bank_line = l.id)
  and not exists (select from bank_match m where m.bank_line = l.id)
  and (not h.bare or l.amount = o.of_order
       or position('#' || o.order_number in l.reference || ' ' || l.text) > 0)
  -- what names invoices is for them, whatever other numbers stand beside
  and (not h.bare or not exists (select from hit x where x.line = h.line and not x.bare))
order by l.id, o.due_on, o.order_key, o.n

-- name: note
insert into bank_payment (bank_line, order_key, invoice, amount, fact)
select * from unnest(%b::bigint[], %b::text[], %b::text[], %b::bigint[], %b::text[])
