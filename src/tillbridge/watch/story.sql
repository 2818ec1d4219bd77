-- One sale from the first delivery to the ERP.

-- name: find
select key from order_state where key = %(text)s or number = %(text)s or number = '#' || %(text)s
union select key from sale_state where key = %(text)s or receipt = %(text)s
union select key from record where key = %(text)s
limit 20

-- name: order
select number, channel, status, currency, total, placed_at, revision from order_state
where key = %b

-- name: sale
select type, location, till, sequence, business_date, receipt, total, currency, voided
from sale_state where key = %b

-- name: records
select id, type, version, fused, cause, body, at from record where key = %b order by id

-- name: entries
select e.id, e.entity, e.fact, e.rule, e.rule_version, e.posted_date, e.currency, e.gl, l.account,
       l.amount, l.item
from entry e join entry_line l on l.entry = e.id
where e.key = %b
order by e.at,
  case e.fact_type when 'DepositReceived' then 0 when 'SaleReversed' then 2
                   when 'RefundPaid' then 3 else 1 end,
  e.fact, e.id, l.n

-- name: movements
select kind, location, product, quantity, occurred_at from stock_movement where key = %b
order by id

-- name: reservations
select line, location, product, quantity from reservation where key = %b order by line

-- name: documents
select t.name, d.op, d.kind, d.state, d.number, d.remote_id, d.total, d.move, d.move_total,
       d.answered_at
from document d join dest t using (dest)
where d.key = %(key)s or starts_with(d.key, 'tax/' || %(key)s || '/')
   or d.op in (select s.op from journal_summary s join entry e on e.id::text = s.entry
               where e.key = %(key)s)
order by d.day, d.op

-- name: cases
select id, reason, state, words, remedy from exception_case
where key = %(key)s or starts_with(key, 'tax/' || %(key)s || '/') order by id
