-- Buyers who are owed money.

-- name: due
select key, body from order_state where refund_due_at <= %b::timestamptz order by refund_due_at
