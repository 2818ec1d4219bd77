-- Tax payable in the books against the taxes that papers and receipts name.

-- name: taxes
-- Months that are not locked. In the currency of the sale, which is that of its papers. What has a
-- paper is taken from it (invoice, credit note), the rest from the fact that tells the sale.
with open_entries as (
  select e.id, e.fact, e.fact_type, e.key, e.entity, e.gl, e.reverses, e.business_date,
         e.posted_date, to_char(e.posted_date, 'YYYY-MM') as month
  from entry e
  where (cardinality(%(entities)s::text[]) = 0 or e.entity = any(%(entities)s::text[]))
    and not exists (select from period p where p.entity = e.entity and p.state = 'locked'
                      and p.period = to_char(e.posted_date, 'YYYY-MM'))
), booked as (
  select e.entity, l.account, e.month, l.txn_currency as currency, e.key,
         -sum(l.txn_amount) as books, 0 as told
  from open_entries e join entry_line l on l.entry = e.id
  where starts_with(l.account, 'sales-tax/')
  group by 1, 2, 3, 4, 5
), papers as (
  select b.body ->> 'entity' as entity, t.tax ->> 0 as jurisdiction,
         to_char(coalesce(p.posted, x.day), 'YYYY-MM') as month,
         b.body -> d.kind ->> 'currency' as currency, d.key,
         case d.kind when 'invoice' then 1 else -1 end * (t.tax ->> 1)::bigint as amount
  from document d
  join record r on r.key = d.key and r.type = 'SubmitDocument'
  cross join lateral (select convert_from(r.body, 'UTF8')::jsonb as body) b
  cross join lateral (select (b.body -> d.kind ->> 'invoice_date')::date as day) x
  left join lateral (
    select max(e.posted_date) as posted from entry e
    where e.key = d.key and e.gl = 'documents' and e.business_date = x.day
      and e.entity = b.body ->> 'entity') p on true
  cross join lateral jsonb_array_elements(b.body -> d.kind -> 'lines') as i (line)
  cross join lateral jsonb_array_elements(coalesce(i.line -> 'taxes', '[]')) as t (tax)
  where d.kind in ('invoice', 'credit_note') and b.body ->> 'id' = d.op
), facts as (
  select e.entity, t.tax ->> 'jurisdiction' as jurisdiction, e.month,
         b.body ->> 'currency' as currency, e.key,
         case e.fact_type when 'SaleReversed' then -1 else 1 end
           * (t.tax ->> 'tax')::bigint as amount
  from open_entries e
  join record r on r.key = e.key and r.type = e.fact_type
  cross join lateral (select convert_from(r.body, 'UTF8')::jsonb as body) b
  cross join lateral jsonb_array_elements(coalesce(b.body -> 'taxes', '[]')) as t (tax)
  where e.gl <> 'documents' and b.body ->> 'id' = e.fact
    and coalesce(t.tax ->> 'collector', 'seller') = 'seller'
    and (e.fact_type in ('SaleRecognised', 'SaleReversed')
         or (e.fact_type = 'ReturnRecharged' and e.entity = b.body -> 'entities' ->> 'fulfilling'))
), receipts as (  -- a void takes back what its sale told
  select e.id, e.entity, e.month, e.key, s.fact, s.key as sale,
         case when e.reverses is null then 1 else -1 end as sign
  from open_entries e join entry s on s.id = coalesce(e.reverses, e.id)
  where s.fact_type = 'SaleRung'
), rung as (
  select distinct on (x.id) x.entity, x.month, x.key, x.sign, b.body
  from receipts x
  join record r on r.key = x.sale and r.type = 'SaleRung'
  cross join lateral (select convert_from(r.body, 'UTF8')::jsonb as body) b
  where b.body ->> 'id' = x.fact and x.entity = b.body -> 'entities' ->> 'selling'
  order by x.id, r.id
), tills as (
  select x.entity, t.tax ->> 'jurisdiction' as jurisdiction, x.month,
         x.body ->> 'currency' as currency, x.key, x.sign * (t.tax ->> 'amount')::bigint as amount
  from rung x
  cross join lateral (
    select jsonb_array_elements(coalesce(i.line -> 'taxes', '[]'))
    from jsonb_array_elements(coalesce(x.body -> 'lines', '[]')) as i (line)
    where coalesce(i.line ->> 'fulfil', '') = ''
    union all
    select jsonb_array_elements(coalesce(x.body -> 'taxes', '[]'))) t (tax)
  where coalesce(t.tax ->> 'collector', 'seller') = 'seller'
), told as (
  select entity, 'sales-tax/' || coalesce(nullif(replace(btrim(jurisdiction), '/', '_'), ''),
                                          'unassigned') as account,
         month, currency, key, 0 as books, sum(amount) as told
  from (select * from papers union all select * from facts union all select * from tills) x
  where (cardinality(%(entities)s::text[]) = 0 or entity = any(%(entities)s::text[]))
    and not exists (select from period p where p.entity = x.entity and p.state = 'locked'
                      and p.period = x.month)
  group by 1, 2, 3, 4, 5
), keyed as (
  select entity, account, month, currency, key, sum(books) as books, sum(told) as told
  from (select * from booked union all select * from told) x
  group by 1, 2, 3, 4, 5
)
select entity, account, month, currency, sum(books)::bigint, sum(told)::bigint,
  coalesce(array_agg(key order by abs(books - told) desc, key) filter (where books <> told), '{}'),
  coalesce(array_agg((books - told)::bigint order by abs(books - told) desc, key)
             filter (where books <> told), '{}')
from keyed group by 1, 2, 3, 4
having sum(books) <> 0 or sum(told) <> 0 or bool_or(books <> told)
order by 1, 3, 2, 4
