-- Receivables against the calendar and the books.

-- name: overdue
select r.key, coalesce(nullif(r.erp_number, ''), r.number), r.order_number, r.entity, r.currency,
       r.due_on, r.open
from receivable r where r.open > 0 and r.due_on < %b::date
order by r.due_on, r.key

-- name: tie
-- per entity and currency: the books, and what is open of invoices
select coalesce(b.entity, o.entity), coalesce(b.currency, o.currency), coalesce(b.held, 0)::bigint,
       coalesce(o.open, 0)::bigint
from (select e.entity, l.txn_currency as currency, sum(l.txn_amount) as held
      from entry_line l join entry e on e.id = l.entry
      where l.account = 'receivables' group by 1, 2) b
full join (select entity, currency, sum(open) as open from receivable group by 1, 2) o
  on o.entity = b.entity and o.currency = b.currency
where cardinality(%(entities)s::text[]) = 0
   or coalesce(b.entity, o.entity) = any(%(entities)s::text[])
order by 1, 2

-- name: tie_parts
select coalesce(r.key, b.item), (coalesce(b.held, 0) - coalesce(r.open, 0))::bigint
from (select l.item, sum(l.txn_amount) as held from entry_line l join entry e on e.id = l.entry
      where l.account = 'receivables' and e.entity = %(entity)s and l.txn_currency = %(currency)s
      group by l.item) b
full join (select * from receivable where entity = %(entity)s and currency = %(currency)s) r
  on r.key = b.item
where coalesce(b.held, 0) <> coalesce(r.open, 0)
order by abs(coalesce(b.held, 0) - coalesce(r.open, 0)) desc, 1

-- name: tie_open
select coalesce(nullif(erp_number, ''), number) || ' of order ' || order_number || ', due ' || due_on,
       open
from receivable where entity = %(entity)s and currency = %(currency)s and open <> 0
order by due_on, key limit %(most)s
