-- Movements of the stock book.

-- name: known
select distinct fact from stock_movement where fact = any(%b::text[])

-- name: of_keys
select key, location, product, condition, sum(quantity)::bigint from stock_movement
where key = any(%b::text[]) group by key, location, product, condition

-- name: add
insert into stock_movement
  (fact, n, key, kind, cause, location, product, condition, quantity, occurred_at)
select * from unnest(%b::text[], %b::int[], %b::text[], %b::text[], %b::text[], %b::text[],
                     %b::text[], %b::text[], %b::bigint[], %b::timestamptz[])
