-- What the hub holds of the objects of a listing, and what of it is on its way.

-- name: orders
select key, body from order_state where key = any(%b::text[])

-- name: pending
select distinct r.key
from record r
join cursor c on c.consumer = %b and c.lane = r.lane
where r.key = any(%b::text[]) and r.id > c.pos and not r.fused

-- name: cases
select key from exception_case where state = 'open' and key = any(%b::text[])

-- name: owed
select key from document
where key = any(%b::text[]) and kind = 'reread' and state in ('owed', 'sent', 'unknown')
