-- Orders that stores and warehouses tell of.

-- name: key_of_order
select s.key from order_state s where s.number = %b and s.channel = %b
order by s.placed_at desc nulls last limit 1
