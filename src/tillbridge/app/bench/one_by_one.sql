-- What a shop's own code does for one reservation, in one transaction of its own.

-- name: stored
select asked, status, body from api_answer where client = %b and key = %b

-- name: lock
select s.location, s.product, s.on_hand - s.reserved
from stock s
where (s.location, s.product, s.condition) in
  (select l, p, 'sellable' from unnest(%b::text[], %b::text[]) x (l, p))
order by s.location, s.product
for no key update

-- name: take
update stock s
set reserved = s.reserved + x.q, changed_at = coalesce(s.changed_at, %b::timestamptz)
from unnest(%b::text[], %b::text[], %b::bigint[]) x (l, p, q)
where s.location = x.l and s.product = x.p and s.condition = 'sellable'

-- name: hold
insert into hold (key, version, ok, short, kind, channel, expires_at, locations, placed_at, desk)
values (%b, 1, true, '', %b, %b, %b, %b, %b, true)

-- name: reservations
insert into reservation (key, line, location, product, quantity)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[])
