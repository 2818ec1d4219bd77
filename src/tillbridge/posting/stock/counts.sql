-- What other systems say they hold.

-- name: save_evidence
insert into stock_evidence (source, location, product, basis, quantity, counted_at)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[],
                     %b::timestamptz[])
on conflict (source, location, product, basis) do update
set quantity = excluded.quantity, counted_at = excluded.counted_at
where stock_evidence.counted_at <= excluded.counted_at
