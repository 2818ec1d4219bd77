-- Invoices and credit notes: papers the ERP was sent, and what buyers on account owe.

-- name: listed
-- papers of a reach, the newest first; one on account stands with what is open of it
with paper as (
  select d.op as key, d.key as order_key, d.kind, coalesce(d.number, '') as number, d.state,
         d.total, d.day
  from document d
  where d.kind in ('invoice', 'credit_note') and not %(open)s
    and (%(order)s = '' or d.key = %(order)s) and (%(key)s = '' or d.op = %(key)s)
    and (not exists (select from receivable r where r.key = d.op))
    and (cardinality(%(entities)s::text[]) = 0 or exists (
      select from entry e where e.key = d.key and e.entity = any(%(entities)s::text[])))
    and (%(party)s = '' or exists (
      select from order_state o
      where o.key = d.key and position(convert_to(%(party)s, 'UTF8') in o.body) > 0))),
owed as (
  select r.key, r.order_key, r.kind, coalesce(nullif(r.erp_number, ''), r.number) as number,
         coalesce((select min(d.state) from document d where d.op = r.key and d.key = r.order_key),
                  'ours') as state,
         abs(r.total) as total, r.issued_on as day, r.due_on, r.credited, r.paid, r.open
  from receivable r
  where (not %(open)s or r.open <> 0) and (%(order)s = '' or r.order_key = %(order)s)
    and (%(key)s = '' or r.key = %(key)s) and (%(party)s = '' or r.party = %(party)s)
    and (cardinality(%(entities)s::text[]) = 0 or r.entity = any(%(entities)s::text[])))
select x.key, x.order_key, x.kind, x.number, x.state, x.total, x.day, x.due_on, x.credited, x.paid,
       x.open, coalesce(o.number, ''), coalesce(o.channel, ''), coalesce(o.currency, '')
from (
  select *, null::date as due_on, null::bigint as credited, null::bigint as paid,
         null::bigint as open from paper
  union all select * from owed) x
left join order_state o on o.key = x.order_key
order by x.day desc, x.key limit %(limit)s

-- name: bodies
select type, version, body from record
where key = any(%b::text[]) and type = any(%b::text[]) order by id

-- name: keys_of
-- a paper by its key, its number here or at the ERP
select key from receivable where key = %(text)s or number = %(text)s or erp_number = %(text)s
union select op from document
where kind in ('invoice', 'credit_note') and (op = %(text)s or number = %(text)s)
limit 20

-- name: aged
-- what the books hold of each invoice on a day, in its own currency
select r.key, r.order_key, coalesce(nullif(r.erp_number, ''), r.number), r.order_number, r.entity,
       r.party, r.currency, r.issued_on, r.due_on, x.open::bigint
from (select l.item, sum(l.txn_amount) as open from entry_line l join entry e on e.id = l.entry
      where l.account = 'receivables' and e.posted_date <= %(day)s
      group by l.item having sum(l.txn_amount) <> 0) x
join receivable r on r.key = x.item
where (cardinality(%(entities)s::text[]) = 0 or r.entity = any(%(entities)s::text[]))
  and (%(order)s = '' or r.order_key = %(order)s) and (%(party)s = '' or r.party = %(party)s)
order by r.due_on, r.key
