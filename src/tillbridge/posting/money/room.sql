-- What the posting room reads and writes; one statement per kind, never one per record.

-- name: share_periods
select pg_advisory_xact_lock_shared(66)

-- A sale and its void are of two lanes, so two transactions can carry them at once; without these
-- locks each would miss the other. Sales hold the lane of their key shared, a void holds the lane
-- of the sale it takes back alone.

-- name: share_lanes
select pg_advisory_xact_lock_shared(67, l) from unnest(%b::int[]) l

-- name: lock_lanes
select pg_advisory_xact_lock(67, l) from unnest(%b::int[]) l

-- name: closed_periods
select entity, period, state from period where state <> 'open'

-- name: admissions
select key, entity, period from period_admission where key = any(%b::text[])

-- name: known_facts
select fact, fact_hash from entry where fact = any(%b::text[])

-- name: known_voids
select voided, fact, fact_hash, version, body, posted
from sale_void where voided = any(%b::text[])

-- name: open_items
select e.entity, l.account, l.item, l.txn_currency, sum(l.amount)::bigint, sum(l.txn_amount)::bigint
from entry_line l join entry e on e.id = l.entry
where l.item = any(%b::text[]) and l.txn_currency <> e.currency group by 1, 2, 3, 4

-- name: sale_entries
select e.id, e.key, e.entity, e.rule_version, e.rule_hash, e.currency, e.flow, e.channel, e.gl,
       l.account, l.amount, l.txn_amount, l.txn_currency, l.item
from entry e join entry_line l on l.entry = e.id
where e.key = any(%b::text[]) and e.fact_type = 'SaleRung'
order by e.key, e.entity, l.n

-- name: write_rules
insert into posting_rule (hash, name, version, meaning, first_at)
select h, n, v, m, %b::timestamptz
from unnest(%b::bytea[], %b::text[], %b::text[], %b::bytea[]) x (h, n, v, m)
order by h
on conflict do nothing

-- name: write_entries
insert into entry (id, fact, fact_type, fact_hash, key, entity, rule, rule_version, rule_hash,
                   business_date, posted_date, currency, flow, channel, location, gl, reverses,
                   lines, at)
select i, f, ft, fh, k, e, r, rv, rh, bd, pd, c, fl, ch, lo, gl, re, li, %b::timestamptz
from unnest(%b::uuid[], %b::text[], %b::text[], %b::bytea[], %b::text[], %b::text[], %b::text[],
            %b::text[], %b::bytea[], %b::date[], %b::date[], %b::text[], %b::text[], %b::text[],
            %b::text[], %b::text[], %b::uuid[], %b::smallint[])
     x (i, f, ft, fh, k, e, r, rv, rh, bd, pd, c, fl, ch, lo, gl, re, li)

-- name: write_lines
insert into entry_line (entry, n, account, amount, txn_amount, txn_currency, item)
select * from unnest(%b::uuid[], %b::smallint[], %b::text[], %b::bigint[], %b::bigint[],
                     %b::text[], %b::text[])

-- name: write_voids
insert into sale_void (voided, fact, fact_hash, version, body, posted, at)
select v, f, h, ve, b, p, %b::timestamptz
from unnest(%b::text[], %b::text[], %b::bytea[], %b::smallint[], %b::bytea[], %b::boolean[])
     x (v, f, h, ve, b, p)
order by v
on conflict (voided) do update set posted = excluded.posted
