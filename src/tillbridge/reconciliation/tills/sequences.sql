-- Till days and their numbers, rolled up from the transactions heard since the last time.

-- name: touched
select distinct source, location, till, business_date
from sale_state
where business_date is not null and fact_hash is not null
  and heard_at >= coalesce((select max(last_heard_at) from till_day), '-infinity'::timestamptz)
                  - %b::interval

-- name: roll_up
insert into till_day (source, location, till, business_date, transactions, sales, first_heard_at,
                      last_heard_at, closed_heard_at)
select s.source, s.location, s.till, s.business_date, count(distinct s.sequence),
       count(*) filter (where s.type = 'SaleRung'), min(s.heard_at), max(s.heard_at),
       max(s.heard_at) filter (where s.type = 'TillClosed')
from unnest(%b::text[], %b::text[], %b::text[], %b::date[]) x (source, location, till, day)
join sale_state s on s.location = x.location and s.till = x.till and s.business_date = x.day
                 and s.source = x.source
where s.fact_hash is not null
group by s.source, s.location, s.till, s.business_date
order by s.source, s.location, s.till, s.business_date
on conflict (source, location, till, business_date) do update set
  transactions = excluded.transactions, sales = excluded.sales,
  first_heard_at = excluded.first_heard_at, last_heard_at = excluded.last_heard_at,
  closed_heard_at = excluded.closed_heard_at

-- name: runs
-- numbers without a gap between them share number less row number; till '' = all of the store
with used as (
  select x.source, x.location, x.till, x.day, s.sequence, s.sequence::bigint as n,
         case when right(s.key, length(s.sequence) + 1) = '/' || s.sequence
              then left(s.key, -length(s.sequence)) end as prefix
  from unnest(%b::text[], %b::text[], %b::text[], %b::date[]) x (source, location, till, day)
  join sale_state s on s.location = x.location and s.business_date = x.day and s.source = x.source
                   and (x.till = '' or s.till = x.till)
  where s.fact_hash is not null and s.sequence ~ '^[0-9]{1,15}$'
), numbered as (
  select source, location, till, day, n,
         n - row_number() over (partition by source, location, till, day order by n) as run,
         min(prefix) as low_prefix, max(prefix) as high_prefix,
         max(case when sequence like '0%%' then length(sequence) else 0 end) as width
  from used group by source, location, till, day, n
)
select source, location, till, day, min(n), max(n), min(low_prefix), max(high_prefix), max(width)
from numbered
group by source, location, till, day, run
order by source, location, till, day, min(n)

-- name: save_numbers
insert into till_numbers (source, location, till, business_date, first, last, prefixes, width)
select s, l, t, d, f, u, string_to_array(p, E'\x1f'), w
from unnest(%b::text[], %b::text[], %b::text[], %b::date[], %b::bigint[], %b::bigint[],
            %b::text[], %b::smallint[]) x (s, l, t, d, f, u, p, w)
order by s, l, t, d
on conflict (source, location, till, business_date) do update set
  first = excluded.first, last = excluded.last, prefixes = excluded.prefixes,
  width = excluded.width

-- name: neighbours
-- each of these days and the next one, with the number the day before it ended on
select distinct d.source, d.location, d.till, d.business_date, d.first, before.last
from unnest(%b::text[], %b::text[], %b::text[], %b::date[]) x (source, location, till, day)
cross join lateral (
  (select * from till_numbers n
   where n.source = x.source and n.location = x.location and n.till = x.till
     and n.business_date = x.day)
  union all
  (select * from till_numbers n
   where n.source = x.source and n.location = x.location and n.till = x.till
     and n.business_date > x.day order by n.business_date limit 1)
) d
left join lateral (
  select last from till_numbers n
  where n.source = d.source and n.location = d.location and n.till = d.till
    and n.business_date < d.business_date order by n.business_date desc limit 1
) before on true

-- name: open_gaps_of
select source, location, till, business_date, head, first, last, noticed_at
from till_gap
join unnest(%b::text[], %b::text[], %b::text[], %b::date[], %b::bool[])
  x (s, l, t, d, h)
  on source = s and location = l and till = t and business_date = d and head = h
where filled_at is null

-- name: fill_gaps
update till_gap g set filled_at = %b::timestamptz
from unnest(%b::text[], %b::text[], %b::text[], %b::date[], %b::bool[], %b::bigint[],
            %b::bigint[]) x (s, l, t, d, h, f, u)
where g.source = s and g.location = l and g.till = t and g.business_date = d and g.head = h
  and g.first = f and g.last = u

-- name: add_gaps
insert into till_gap (source, location, till, business_date, head, first, last, missing,
                      noticed_at)
select s, l, t, d, h, f, u, m, a
from unnest(%b::text[], %b::text[], %b::text[], %b::date[], %b::bool[], %b::bigint[],
            %b::bigint[], %b::bigint[], %b::timestamptz[]) x (s, l, t, d, h, f, u, m, a)
order by s, l, t, d, h, f
on conflict (source, location, till, business_date, head, first, last)
do update set filled_at = null, noticed_at = excluded.noticed_at

-- name: gaps
select g.source, g.location, g.till, g.business_date, g.first, g.last, g.missing, g.noticed_at,
       g.filled_at, n.prefixes, n.width
from till_gap g
left join till_numbers n using (source, location, till, business_date)
where (g.filled_at is null or g.filled_at >= %b::timestamptz)
order by g.source, g.location, g.till, g.business_date, g.head desc, g.first

-- name: told_keys
select distinct key from record where key = any(%b::text[])
