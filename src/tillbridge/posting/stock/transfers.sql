-- Transfers between places.

-- name: ways
-- the cause of a receipt's movements says whether more will come (bookings.COMPLETE)
select key, product,
       coalesce(sum(quantity) filter (where condition = 'in_transit'), 0)::bigint,
       coalesce(-sum(quantity) filter (where kind = 'transfer_out' and condition = 'sellable'),
                0)::bigint,
       bool_or(kind = 'transfer_out'),
       bool_or(kind = 'transfer_in' and cause = 'complete')
from stock_movement
where key = any(%b::text[]) and kind in ('transfer_out', 'transfer_in', 'adjustment')
group by key, product
