-- Reservations and the answers behind them.

-- name: load
select key, version, ok, short from hold where key = any(%b::text[])

-- name: load_reservations
select key, line, location, product, quantity from reservation where key = any(%b::text[])

-- name: drop_reservations
delete from reservation where key = any(%b::text[])

-- name: add_reservations
insert into reservation (key, line, location, product, quantity)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[])

-- name: save
insert into hold (key, version, ok, short)
select * from unnest(%b::text[], %b::int[], %b::bool[], %b::text[])
on conflict (key) do update
set version = excluded.version, ok = excluded.ok, short = excluded.short
