-- What the log tells of facts that rules book, beside what stands in the book of them.

-- name: told
-- The first telling of each fact, in the order of the log, with its lines: entity, account, item,
-- amount. taken_back: whether a void has reversed it.
with told as (
  select min(r.id) as id, r.lane, j.body ->> 'id' as fact
  from record r
  cross join lateral (select convert_from(r.body, 'UTF8')::json as body) j
  where r.type = any(%(types)s::text[]) and j.body ->> 'business_date' >= %(since)s
  group by r.lane, r.key, r.type, j.body ->> 'id'
)
select r.type, r.version, r.body, b.hash, b.taken_back, coalesce(b.lines, '[]')::text
from told t
join record r on r.lane = t.lane and r.id = t.id
left join lateral (
  select min(encode(e.fact_hash, 'hex')) as hash,
    bool_or(e.fact_type = 'SaleRung'
            and exists (select from sale_void s where s.voided = e.key and s.posted)) as taken_back,
    json_agg(l.line) as lines
  from entry e
  cross join lateral (
    select json_build_array(e.entity, x.account, x.item, x.amount, e.currency) as line
    from entry_line x where x.entry = e.id) l
  where e.fact = t.fact and e.reverses is null
) b on true
order by r.id
