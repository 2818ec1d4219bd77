-- Goods on account: what is owed agrees with the orders and with the books.
-- The form of a block is told in invariants.py.

-- name: receivables_are_what_their_orders_say
-- says: Each invoice on account stands with what its order issued, credited and was paid.
-- do: Report a defect; what buyers owe is shown wrong.
-- owner: finance
select coalesce(r.key, x.key), r.open, x.total - x.credited - x.paid from (
  select o.key as of, i.key, (i.value ->> 'total')::bigint as total,
         case when (i.value ->> 'total')::bigint > 0
              then coalesce((i.value ->> 'credited')::bigint, 0)
              else (i.value ->> 'total')::bigint end as credited,
         coalesce((i.value ->> 'paid')::bigint, 0) as paid
  from seen_order o, json_each(o.account -> 'issued') i) x
full join receivable r on r.key = x.key
where (r.order_key, r.total, r.credited, r.paid) is distinct from
      (x.of, x.total, x.credited, x.paid)

-- name: receivables_are_in_the_books_as_they_are_open
-- says: The account of receivables holds what is open of each invoice, and nothing else.
-- do: Look for a parked InvoiceIssued or ReceivableSettled; else report a defect.
-- owner: finance
-- at rest
select coalesce(r.key, b.item), r.open, b.held from (
  select item, sum(txn_amount) as held from entry_line where account = 'receivables' group by item) b
full join receivable r on r.key = b.item
left join seen_held h on h.key = r.order_key and h.room = 'posting.money'
where coalesce(b.held, 0) <> coalesce(r.open, 0) and h.key is null
