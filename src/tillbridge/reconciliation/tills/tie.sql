-- Tills: what the books say of the money in a till's day against what was counted there.

-- name: counted
-- Days of months that are not locked whose newest close counted something; a row per tender. books:
-- what was booked of the day until the count, over and short included; cash in the till's own
-- account, everything else on its way from the provider.
with closed as (
  select distinct on (s.source, s.location, s.till, s.business_date)
         s.source, s.location, s.till, s.business_date as day, s.currency, b.body,
         b.body -> 'entities' ->> 'selling' as entity,
         (b.body ->> 'occurred_at')::timestamptz as counted_at
  from sale_state s
  join record r on r.key = s.key and r.type = 'TillClosed'
  cross join lateral (select convert_from(r.body, 'UTF8')::jsonb as body) b
  where s.type = 'TillClosed' and jsonb_array_length(coalesce(b.body -> 'counts', '[]')) > 0
    and (cardinality(%(entities)s::text[]) = 0
         or b.body -> 'entities' ->> 'selling' = any(%(entities)s::text[]))
    and not exists (select from period p
                    where p.entity = b.body -> 'entities' ->> 'selling' and p.state = 'locked'
                      and p.period = to_char(s.business_date, 'YYYY-MM'))
  order by s.source, s.location, s.till, s.business_date, (b.body ->> 'occurred_at') desc, r.id desc
), counted as (
  select c.*, t.one ->> 'tender' as tender, (t.one ->> 'counted')::bigint as amount
  from closed c cross join lateral jsonb_array_elements(c.body -> 'counts') as t (one)
  where t.one ->> 'counted' is not null
), booked as (
  select e.location, coalesce(nullif(s.till, ''), split_part(e.key, '/', 4)) as till,
         e.business_date as day, split_part(e.key, '/', 2) as source,
         split_part(l.account, '/', case when starts_with(l.account, 'till/') then 3 else 2 end)
           as tender,
         l.txn_currency as currency, e.fact_type,
         case when e.fact_type = 'CashMoved' then (
           select max((convert_from(r.body, 'UTF8')::jsonb ->> 'occurred_at')::timestamptz)
           from record r where r.key = e.key and r.type = 'CashMoved') end as moved_at,
         l.txn_amount as amount
  from entry e
  join entry_line l on l.entry = e.id
  left join sale_state s on s.key = e.key
  where e.flow = 'stores' and e.business_date in (select day from closed)
    and ((e.fact_type in ('SaleRung', 'SaleVoided', 'CashMoved', 'TillCounted')
          and starts_with(l.account, 'till/' || e.location || '/'))
         or (e.fact_type in ('SaleRung', 'SaleVoided') and starts_with(l.account, 'clearing/')))
)
select c.entity, c.location, to_char(c.day, 'YYYY-MM'), c.tender, c.currency, c.source, c.till,
  c.day, c.amount,
  coalesce(sum(b.amount) filter (where b.moved_at is null or b.moved_at <= c.counted_at), 0)::bigint,
  coalesce(sum(b.amount) filter (where b.fact_type = 'TillCounted'), 0)::bigint
from counted c
left join booked b on b.location = c.location and b.till = c.till and b.day = c.day
  and b.source = c.source and b.tender = c.tender and b.currency = c.currency
group by 1, 2, 3, 4, 5, 6, 7, 8, 9
order by 1, 2, 3, 4, 5, 8, 7
