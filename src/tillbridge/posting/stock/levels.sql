-- Stock rows.

-- name: lock
select location, product, condition, on_hand, reserved, counted_at, heard_at from stock
where (location, product, condition) in (select * from unnest(%b::text[], %b::text[], %b::text[]))
order by location, product, condition
for no key update

-- name: turn
-- lock 82: batches that want the same few products, one after the other
select pg_advisory_xact_lock(82, one) from (
    select distinct hashtext(product) as one from unnest(%b::text[]) as product order by 1) turns

-- name: make
insert into stock (location, product, condition)
select * from unnest(%b::text[], %b::text[], %b::text[])
on conflict do nothing

-- name: save
update stock s
set on_hand = x.h, reserved = x.r, counted_at = x.c, heard_at = x.e,
    changed_at = coalesce(s.changed_at, %b::timestamptz)
from unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::timestamptz[],
            %b::timestamptz[]) x (l, p, k, h, r, c, e)
where s.location = x.l and s.product = x.p and s.condition = x.k
