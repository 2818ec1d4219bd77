-- Requests that were answered short.

-- name: drop
delete from waiting where key = any(%b::text[])

-- name: put
insert into waiting (key, version, turn, lines, wanted, takes, recount, failed_at)
select k, v, t, l, w, s, string_to_array(r, chr(31)), f
from unnest(%b::text[], %b::int[], %b::int[], %b::bytea[], %b::bigint[], %b::text[], %b::text[],
            %b::timestamptz[]) x (k, v, t, l, w, s, r, f)
on conflict (key) do update set
  version = excluded.version, turn = excluded.turn, lines = excluded.lines,
  wanted = excluded.wanted, takes = excluded.takes, recount = excluded.recount,
  failed_at = excluded.failed_at, asked = false

-- name: only
select pg_try_advisory_xact_lock(56)

-- name: hopeful
-- those for which enough of what lacked is somewhere now, or expected; the first placed first
select w.key, w.version, w.turn, w.lines, w.takes, w.asked, h.channel, h.locations, h.split_most,
       h.backorder, h.preorder, c.counted
from waiting w join hold h using (key)
cross join lateral (
  -- places that did not find it and were counted since, with enough of what lacks
  select case when w.recount = '{}' then '{}'::text[] else array(
    select s.location from stock s
    where s.product = h.short and s.location = any(w.recount) and s.condition = 'sellable'
      and s.counted_at > w.failed_at and s.on_hand - s.reserved >= w.wanted
    order by s.location) end as counted
) c
where c.counted <> '{}' or w.wanted <= (
    select coalesce(sum(greatest(s.on_hand - s.reserved, 0)), 0) from stock s
    where s.product = h.short and s.location = any(h.locations) and s.condition = 'sellable')
  or w.takes <> '' and exists (select from reservation r where r.key = w.takes)
  or (h.backorder or h.short = any(h.preorder)) and exists (
    select from supply p
    where p.product = h.short and p.location = any(h.locations) and not p.closed
      and p.expected > p.received and p.due_at >= %(now)s)
order by h.placed_at, w.key
limit %(most)s

-- name: free
select location, product, on_hand - reserved from stock
where condition = 'sellable'
  and (location, product) in (select * from unnest(%b::text[], %b::text[]))

-- name: held
select key, line, location, product, quantity from reservation where key = any(%b::text[])

-- name: asked
update waiting w set asked = true
from unnest(%b::text[], %b::int[], %b::int[]) u (key, version, turn)
where w.key = u.key and w.version = u.version and w.turn = u.turn and not w.asked
returning w.key
