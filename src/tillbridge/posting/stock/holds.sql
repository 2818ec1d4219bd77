-- Reservations and the holds they belong to.

-- name: standing
select key, location, product from reservation where key = any(%(k)s::text[])
union
select key, location, product from promise where key = any(%(k)s::text[])

-- name: read
select h.key, h.version, h.ok, h.short, h.kind, h.channel, h.expires_at, h.locations, h.split_most,
       h.placed_at, h.desk, h.ended, h.turn, h.backorder, h.preorder, h.promised, r.line, r.location, r.product, r.quantity
from hold h left join reservation r using (key)
where h.key = any(%b::text[])
order by h.key, r.line collate "C", r.product collate "C", r.location collate "C"

-- name: standing_at
select distinct key from reservation
where (location, product) in (select * from unnest(%b::text[], %b::text[]))

-- name: due
-- soft holds past their time and where they stand, those that ended first first
select d.key, r.location, r.product
from (select key from hold where kind = 'soft' and ended = '' and expires_at <= %b
      order by expires_at limit %b) d
join reservation r using (key)

-- name: drop_reservations
delete from reservation where key = any(%b::text[])

-- name: add_reservations
insert into reservation (key, line, location, product, quantity)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[])

-- name: add
insert into hold (key, version, ok, short, kind, channel, expires_at, locations, split_most,
                  placed_at, desk, ended, turn, backorder, preorder, promised)
select k, v, o, s, d, c, e, string_to_array(l, chr(31)), m, p, a, x, t, b,
       string_to_array(r, chr(31)), w
from unnest(%b::text[], %b::int[], %b::bool[], %b::text[], %b::text[], %b::text[],
            %b::timestamptz[], %b::text[], %b::int[], %b::timestamptz[], %b::bool[], %b::text[],
            %b::int[], %b::bool[], %b::text[], %b::bool[])
     u (k, v, o, s, d, c, e, l, m, p, a, x, t, b, r, w)

-- name: save
update hold h
set version = v, ok = o, short = s, kind = d, channel = c, expires_at = e,
    locations = string_to_array(l, chr(31)), split_most = m, placed_at = p, desk = a, ended = x,
    turn = t, backorder = b, preorder = string_to_array(r, chr(31)), promised = w
from unnest(%b::text[], %b::int[], %b::bool[], %b::text[], %b::text[], %b::text[],
            %b::timestamptz[], %b::text[], %b::int[], %b::timestamptz[], %b::bool[], %b::text[],
            %b::int[], %b::bool[], %b::text[], %b::bool[])
     u (k, v, o, s, d, c, e, l, m, p, a, x, t, b, r, w)
where h.key = u.k
