-- What channels show. Locks: stock rows in key order first, then publication rows in key order.

-- name: take
-- A row that is being changed at this moment is left for the next look.
with changed as materialized (
  select location, product, condition, changed_at from stock
  where changed_at is not null
  order by location, product, condition limit %(most)s
  for no key update skip locked
)
update stock s set changed_at = null from changed c
where s.location = c.location and s.product = c.product and s.condition = c.condition
returning c.location, c.product, c.changed_at

-- name: take_waiting
-- What was passed over for too long, because it never stands still, is waited for.
with changed as materialized (
  select location, product, condition, changed_at from stock
  where changed_at < %(before)s
  order by location, product, condition limit %(most)s
  for no key update
)
update stock s set changed_at = null from changed c
where s.location = c.location and s.product = c.product and s.condition = c.condition
returning c.location, c.product, c.changed_at

-- name: bundles
-- Everything that is made of these products, as deep as bundles are opened (posting.stock.items).
with recursive made (product, bundle, depth) as (
  select product, bundle, 1 from item_component where product = any(%(products)s::text[])
  union
  select m.product, c.bundle, m.depth + 1
  from made m join item_component c on c.product = m.bundle where m.depth < 8
)
select distinct product, bundle from made

-- name: named
-- Those of our products a connection has a name for.
select distinct ours from xref
where connection = %(name)s and kind = 'product' and ours = any(%(products)s::text[])

-- name: named_after
-- The next products a connection has a name for, in order.
select distinct ours from xref where connection = %(name)s and kind = 'product' and ours > %(after)s
order by ours limit %(most)s

-- name: unplanned
-- Places whose own orders have never been counted.
select x.location, x.product
from unnest(%(locations)s::text[], %(products)s::text[]) x (location, product)
left join publication p
  on p.dest = %(dest)s and p.location = x.location and p.product = x.product
where coalesce(p.moved, -1) < 0

-- name: lock_stock
select 1 from stock
where (location, product) in (select * from unnest(%(locations)s::text[], %(products)s::text[]))
order by location, product, condition
for no key update

-- name: names
select kind, ours, array_agg(theirs order by theirs) from xref
where connection = %(name)s
  and (kind = 'product' and ours = any(%(products)s::text[])
       or kind = 'location' and ours = any(%(locations)s::text[]))
group by kind, ours

-- name: rows
select location, product, available, own, moved, told, confirmed, confirmed_told, untold, changed_at,
       due, attempts, version, sent, sent_from, sent_told, sent_change, doubted, refused, reference
from publication
where dest = %(dest)s
  and (location, product) in (select * from unnest(%(locations)s::text[], %(products)s::text[]))
order by location, product
for update

-- name: totals
select product, sum(available)::bigint, sum(told)::bigint from publication
where dest = %(dest)s and product = any(%(products)s::text[]) and location <> ''
group by product

-- name: own
-- What a channel's own orders hold at these places, and what of them left since a movement. A bundle
-- is held as often as its parts are; what left of it is not followed.
with place as (
  select * from unnest(%(locations)s::text[], %(products)s::text[], %(moved)s::bigint[])
    x (location, product, moved)
), part as (
  select p.location, p.product, p.moved, coalesce(c.product, p.product) as part,
         coalesce(c.quantity, 1000) as per, c.product is not null as bundled
  from place p left join item_component c on c.bundle = p.product
), held as (
  select t.location, t.product, t.moved, t.bundled, t.part,
         coalesce((select sum(r.quantity) from reservation r
                   where r.location = t.location and r.product = t.part
                     and starts_with(r.key, %(prefix)s)), 0)::bigint * 1000 / t.per as quantity
  from part t
)
select h.location, h.product, min(h.quantity)::bigint,
       coalesce(sum(m.quantity), 0)::bigint, coalesce(max(m.newest), max(h.moved))
from held h
left join lateral (
  select coalesce(-sum(v.quantity) filter (where v.id > h.moved and starts_with(v.key, %(prefix)s)
                                             and v.quantity < 0), 0) as quantity,
         max(v.id) as newest
  from stock_movement v
  where not h.bundled and v.location = h.location and v.product = h.part
    and v.condition = 'sellable' and v.occurred_at > %(since)s
) m on true
group by h.location, h.product

-- name: save
insert into publication as p (dest, location, product, available, own, moved, told, changed_at, due)
select %(dest)s, * from unnest(%(locations)s::text[], %(products)s::text[], %(available)s::bigint[],
  %(own)s::bigint[], %(moved)s::bigint[], %(told)s::bigint[], %(changed)s::timestamptz[],
  %(due)s::timestamptz[])
on conflict (dest, location, product) do update
set available = excluded.available, own = excluded.own, moved = excluded.moved,
    told = excluded.told, changed_at = excluded.changed_at, due = excluded.due

-- name: claim
select location, product, available, own, moved, told, confirmed, confirmed_told, untold, changed_at,
       due, attempts, version, sent, sent_from, sent_told, sent_change, doubted, refused, reference
from publication p
where p.dest = %(dest)s and p.due <= %(until)s
  and (p.slot is null or not exists (select from slot s where s.slot = p.slot))
order by p.due limit %(most)s
for update skip locked

-- name: rest
update publication p set due = null, changed_at = null, slot = null
from unnest(%(locations)s::text[], %(products)s::text[]) x (l, t)
where p.dest = %(dest)s and p.location = x.l and p.product = x.t

-- name: send
update publication p
set slot = %(slot)s, version = x.version, sent = x.sent, sent_from = x.sent_from,
    sent_told = x.sent_told, sent_change = x.change, changed_at = null, attempts = p.attempts + 1,
    unknown = p.sent is not null
from unnest(%(locations)s::text[], %(products)s::text[], %(versions)s::int[], %(sent)s::bigint[],
            %(from)s::bigint[], %(told)s::bigint[], %(changes)s::timestamptz[])
     x (location, product, version, sent, sent_from, sent_told, change)
where p.dest = %(dest)s and p.location = x.location and p.product = x.product

-- name: answered
-- Rows still under way with this call, as they are now.
select location, product, available, own, moved, told, confirmed, confirmed_told, untold, changed_at,
       due, attempts, version, sent, sent_from, sent_told, sent_change, doubted, refused, reference
from publication where dest = %(dest)s and slot = %(slot)s order by location, product for update

-- name: book
-- untold_since: since when anything has been held back without a break
update publication p
set confirmed = x.confirmed, confirmed_told = x.told, confirmed_at = %(now)s, untold = x.untold,
    untold_since = case when x.untold > 0 then coalesce(p.untold_since, %(now)s) end,
    lag_seconds = coalesce(x.lag, p.lag_seconds), sent = null, slot = null, attempts = 0, doubted = false,
    unknown = false,
    refused = '', reference = x.reference, changed_at = x.changed, due = x.due
from unnest(%(locations)s::text[], %(products)s::text[], %(confirmed)s::bigint[],
            %(tolds)s::bigint[], %(untold)s::bigint[], %(lags)s::float8[],
            %(changed)s::timestamptz[], %(dues)s::timestamptz[], %(references)s::text[])
     x (location, product, confirmed, told, untold, lag, changed, due, reference)
where p.dest = %(dest)s and p.location = x.location and p.product = x.product

-- name: put_off
-- unknown: the same offer is made again; else nothing was applied and a new one is.
update publication p
set slot = null, due = x.due, unknown = p.unknown or x.unknown,
    sent = case when p.unknown or x.unknown then p.sent end,
    changed_at = least(p.changed_at, p.sent_change), refused = x.refused,
    reference = case when x.refused = '' then p.reference else '' end
from unnest(%(locations)s::text[], %(products)s::text[], %(dues)s::timestamptz[],
            %(unknowns)s::bool[], %(refused)s::text[]) x (location, product, due, unknown, refused)
where p.dest = %(dest)s and p.location = x.location and p.product = x.product
  and p.slot = %(slot)s

-- name: drifted
insert into publication_drift (dest, location, product, found_at, expected, actual, told)
select %(dest)s, l, p, %(now)s, e, a, t
from unnest(%(locations)s::text[], %(products)s::text[], %(expected)s::bigint[],
            %(actual)s::bigint[], %(told)s::bigint[]) x (l, p, e, a, t)

-- name: next_due
select min(p.due), a.open_until from publication p join dest d using (dest)
join dest a on a.dest = coalesce(d.account, d.dest)
where p.dest = %(dest)s and p.due is not null group by a.open_until

-- name: lag
select d.name,
       count(*) filter (where p.version > 0 or p.due is not null),
       count(*) filter (where p.due is not null),
       min(p.changed_at) filter (where p.due is not null),
       percentile_cont(0.5) within group (order by p.lag_seconds)
         filter (where p.confirmed_at > %(since)s),
       percentile_cont(0.99) within group (order by p.lag_seconds)
         filter (where p.confirmed_at > %(since)s),
       count(*) filter (where p.untold > 0),
       count(*) filter (where p.refused <> ''),
       (select count(*) from publication_drift x where x.dest = p.dest and x.state = 'open'),
       (select count(*) from publication_drift x where x.dest = p.dest and x.state = 'unexplained'
          and x.found_at > %(since)s)
from publication p join dest d using (dest)
group by d.name, p.dest order by d.name

-- name: shown
select d.name, p.location, p.product, p.available, p.confirmed, p.untold, p.confirmed_at,
       p.changed_at, p.refused, p.version
from publication p join dest d using (dest)
where (%(name)s = '' or d.name = %(name)s) and (%(product)s = '' or p.product = %(product)s)
  and (p.version > 0 or p.due is not null)
  and (%(everything)s or p.location = '' or p.location = any(%(locations)s))
order by d.name, p.product, p.location limit %(most)s
