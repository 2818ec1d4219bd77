-- Sweeps: what was compared, what was found, how far a stream is complete.

-- name: standing
-- the last sweep of a stream, and up to when it is known to be complete
select (select complete_through from poll_cursor
        where connection = %(connection)s and stream = %(stream)s),
       s.at, s.missing + s.behind
from (select 1) one
left join lateral (
  select at, missing, behind from sweep
  where connection = %(connection)s and stream = %(stream)s order by at desc, id desc limit 1
) s on true

-- name: add_sweep
insert into sweep (connection, stream, since, until, at, source_count, hub_count, missing, behind,
                   waiting, differing)
values (%b::text, %b::text, %b::timestamptz, %b::timestamptz, %b::timestamptz, %b::bigint,
        %b::bigint, %b::bigint, %b::bigint, %b::bigint, %b::bigint)
returning id

-- name: add_sums
insert into sweep_sum (sweep, currency, source_amount, source_refunded, hub_amount, hub_refunded)
select %b::bigint, c, sa, sr, ha, hr
from unnest(%b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[])
     x (c, sa, sr, ha, hr)

-- name: add_asked
insert into sweep_asked (sweep, op, key, why)
select %b::bigint, o, k, w from unnest(%b::text[], %b::text[], %b::text[]) x (o, k, w)
on conflict do nothing

-- name: move_complete_through
-- only a window that begins where the stream was complete makes it complete further on
insert into poll_cursor as c (connection, stream, complete_through)
values (%(connection)s, %(stream)s, %(until)s)
on conflict (connection, stream) do update
set complete_through = greatest(c.complete_through, excluded.complete_through)
where c.complete_through is null or c.complete_through >= %(since)s
