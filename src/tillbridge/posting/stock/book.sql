-- The stock book.

-- name: lock_stock
select location, product, on_hand, reserved, counted_at from stock
where (location, product) in (select * from unnest(%b::text[], %b::text[]))
order by location, product
for no key update

-- name: make_stock
insert into stock (location, product)
select * from unnest(%b::text[], %b::text[])
on conflict do nothing

-- name: load_holds
select key, version, ok, short from hold where key = any(%b::text[])

-- name: load_reservations
select key, line, location, product, quantity from reservation where key = any(%b::text[])

-- name: known_movements
select distinct fact from stock_movement where fact = any(%b::text[])

-- name: movements_of_key
select key, location, product, sum(quantity)::bigint from stock_movement
where key = any(%b::text[]) group by key, location, product

-- name: save_stock
update stock s
set on_hand = x.h, reserved = x.r, counted_at = x.c
from unnest(%b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::timestamptz[])
     x (l, p, h, r, c)
where s.location = x.l and s.product = x.p

-- name: add_movements
insert into stock_movement (fact, n, key, kind, location, product, quantity, occurred_at)
select * from unnest(%b::text[], %b::int[], %b::text[], %b::text[], %b::text[], %b::text[],
                     %b::bigint[], %b::timestamptz[])

-- name: drop_reservations
delete from reservation where key = any(%b::text[])

-- name: add_reservations
insert into reservation (key, line, location, product, quantity)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[])

-- name: save_holds
insert into hold (key, version, ok, short)
select * from unnest(%b::text[], %b::int[], %b::bool[], %b::text[])
on conflict (key) do update
set version = excluded.version, ok = excluded.ok, short = excluded.short

-- name: save_evidence
insert into stock_evidence (source, location, product, basis, quantity, counted_at)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[],
                     %b::timestamptz[])
on conflict (source, location, product, basis) do update
set quantity = excluded.quantity, counted_at = excluded.counted_at
where stock_evidence.counted_at <= excluded.counted_at
