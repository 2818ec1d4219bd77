-- Expected supply, and what orders were promised out of it.

-- name: of_keys
select key, line, product, supply, location, quantity from promise where key = any(%b::text[])
order by key, line, product, supply, location

-- name: at_places
select s.supply, s.product, s.location, s.version, s.due_at, s.expected, s.received, s.closed,
       coalesce(p.sum, 0)::bigint
from supply s
left join lateral (
  select sum(quantity) from promise p
  where p.supply = s.supply and p.product = s.product and p.location = s.location
) p on true
where (s.location, s.product) in (select * from unnest(%b::text[], %b::text[]))

-- name: places_of_supplies
select distinct location, product from supply where supply = any(%b::text[])

-- name: keys_of_supplies
select distinct key from promise where supply = any(%b::text[])

-- name: save_supply
insert into supply (supply, product, location, version, due_at, expected, received, closed)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[],
                     %b::bigint[], %b::bigint[], %b::bool[])
on conflict (supply, product, location) do update set
  version = excluded.version, due_at = excluded.due_at, expected = excluded.expected,
  received = excluded.received, closed = excluded.closed

-- name: drop_promises
delete from promise where key = any(%b::text[])

-- name: add_promises
insert into promise (key, line, product, supply, location, quantity)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[])
