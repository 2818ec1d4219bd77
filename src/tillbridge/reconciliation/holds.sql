-- Amounts that providers hold for orders, and when that ends.

-- name: lapsing
select key, lapses_at, body from order_state
where lapses_at <= %b::timestamptz order by lapses_at limit 500
