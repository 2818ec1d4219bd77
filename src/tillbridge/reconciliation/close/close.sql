-- What keeps a month of an entity open. Days are compared as ISO texts: keys hold them as such, and
-- a text that is no day never fails a query.

-- name: pending
-- told and not yet carried: what is of the month by its arrival, or waits for longer than a minute
select count(*), to_char(min(r.at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), min(r.key)
from cursor c
join record r on r.lane = c.lane and r.id > c.pos and not r.fused
where c.consumer = 'flow'
  and (r.at < (%(last)s::date + 1) or r.at < %(now)s::timestamptz - interval '1 minute')

-- name: cases
-- A case counts when something is held back by it, money is at stake, or it says that something is
-- missing. Its day: of what is held back, in its key or details, of the first entry of its key. Where nothing
-- tells the day it counts for the month in which it arrived and for the one before.
with held as (
  select k.case_id, count(*) as records, min(b.day) as day,
    array_agg(distinct x.entity) filter (where x.entity is not null) as entities
  from parked_key k
  join parked p using (room, key)
  cross join lateral (select convert_from(p.body, 'UTF8')::json as body) j
  cross join lateral (select j.body ->> 'business_date' as day) b
  left join lateral (
    select value as entity from json_each_text(
      case when json_typeof(j.body -> 'entities') = 'object' then j.body -> 'entities' end)
    where value <> ''
    union all select j.body ->> 'entity' where j.body ->> 'entity' <> ''
  ) x on true
  group by k.case_id
), open as (
  select c.*, coalesce(h.records, 0) as records, h.entities, split_part(c.key, '/', 1) as noun,
    coalesce(n.name, c.details ->> 'connection', '') as source,
    coalesce(m.received_at, c.opened_at) as arrived_at,
    coalesce(
      h.day,
      substring(c.key from '/([0-9]{4}-[0-9]{2}-[0-9]{2})(?:/|$)'),
      case when c.reason = 'store_day_missing' then left(c.details ->> 'finding', 10) end,
      c.details ->> 'day',
      (select min(e.business_date)::text from entry e
       where e.key = c.key and e.entity = %(entity)s)) as day
  from exception_case c
  left join held h on h.case_id = c.id
  left join message m on m.id = c.message
  left join connection_name n on n.id = m.connection
  where c.state = 'open' and not starts_with(c.key, 'payout/') -- they are on the list themselves
    and c.reason <> 'invoice_overdue' -- booked as owed, whoever pays when
    and (h.records > 0 or c.amount is not null or c.details ? 'operation'
         or c.reason = any(%(findings)s))
)
select o.id, o.reason, o.owner, o.key, o.words, o.remedy, o.records, o.amount, o.currency,
  coalesce(o.day, ''), count(*) over ()
from open o
where case when o.day is not null then o.day <= %(last)s
           else o.arrived_at < %(month_after)s::date end
  and case
    when o.entities is not null then %(entity)s = any(o.entities)
    when o.details ->> 'entity' <> '' then o.details ->> 'entity' = %(entity)s
    when o.noun = 'journal' then split_part(o.key, '/', 2) = %(entity)s
    when o.noun = 'sale' then coalesce(
      (select s.location <> all(%(locations)s::text[]) from sale_state s
       where s.key = o.key and s.location <> ''),
      split_part(o.key, '/', 2) <> all(%(connections)s::text[]))
    when o.noun in ('till', 'store', 'stock')
    then split_part(o.key, '/', 3) = any(%(own)s::text[])
         or split_part(o.key, '/', 2) <> all(%(connections)s::text[])
            and split_part(o.key, '/', 3) <> all(%(locations)s::text[])
    else split_part(o.key, '/', 2) <> all(%(connections)s::text[])
         and o.source <> all(%(connections)s::text[])
  end
order by o.day nulls last, o.id
limit %(most)s

-- name: documents
-- owed and not answered yet; a refused one has its case
select t.name, d.kind, d.state, count(*), min(o.day), min(d.key),
  count(distinct d.op) filter (where k.leased)
from job j
join document d on d.dest = j.dest and d.op = j.op and d.state in ('owed', 'sent', 'unknown')
join dest t on t.dest = j.dest
cross join lateral (select convert_from(j.body, 'UTF8')::json as body) b
cross join lateral (select exists (select from outkey o where o.dest = j.dest and o.key = j.key
                                   and o.lease_until is not null) as leased) k
left join lateral (
  select min(f.value) as day
  from json_each(b.body) part
  cross join lateral json_each_text(
    case when json_typeof(part.value) = 'object' then part.value end) f
  where f.key in ('invoice_date', 'journal_date', 'goods_date', 'order_date', 'cancel_date',
                  'document_date', 'proposal_date')
) own on true
cross join lateral (select coalesce(own.day, d.day::text) as day) o
where o.day <= %(last)s
  and case when b.body ->> 'entity' <> '' then b.body ->> 'entity' = %(entity)s
           else t.name <> all(%(connections)s::text[]) end
group by t.name, d.kind, d.state
order by t.name, d.kind, d.state

-- name: journals
select flow, place, count(distinct entry), min(day)::text, currency, sum(greatest(amount, 0))::bigint
from journal_pending
where entity = %(entity)s and day <= %(last)s::date
group by flow, place, currency order by flow, place, currency

-- name: voids
select v.voided, v.fact, b.day
from sale_void v
cross join lateral (select convert_from(v.body, 'UTF8')::json as body) j
cross join lateral (
  select j.body ->> 'business_date' as day, j.body -> 'entities' ->> 'selling' as entity) b
where not v.posted and b.day <= %(last)s and b.entity = %(entity)s
order by v.voided limit %(most)s

-- name: files
-- claimed and never finished: whoever took it is gone, or at it right now
select connection, path from file_claim
where state = 'claimed' and connection <> all(%(connections)s::text[])
  and claimed_at < %(now)s::timestamptz - interval '1 minute'
order by claimed_at limit %(most)s

-- name: accepted
-- what a person has looked at and closed by hand is not missing any more
select reason, key, coalesce(details ->> 'finding', '') from exception_case
where state <> 'open' and resolved_by <> 'hub'
  and reason in ('till_sequence_gap', 'till_close_missing', 'store_day_missing')
union all
-- and what is open is told by its case
select reason, key, coalesce(details ->> 'finding', '') from exception_case
where state = 'open' and reason in ('till_sequence_gap', 'till_close_missing', 'store_day_missing')
