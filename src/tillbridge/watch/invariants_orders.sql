-- Orders: what is kept of them agrees with what was told, booked and asked for.
-- The form of a block is told in invariants.py.

-- name: refunded_never_exceeds_captured
-- says: No order has given back more money than it booked as received.
-- do: Look at the order's story; book the missing payment or correct the refund.
-- owner: finance
select key, number, refunded, deposited from seen_order where refunded > deposited

-- name: nothing_earned_beyond_what_was_ordered
-- says: No order line has more revenue quantity than was ordered.
-- do: Report a defect; reverse the excess by hand.
-- owner: finance
-- what was earned by a substitute stands under product and line
select o.key, v.line, v.earned, l.quantity as ordered
from seen_order o cross join lateral (
  select split_part(x.key, E'\x1f', -1) as line, sum((x.value ->> 'quantity')::bigint) as earned
  from json_each(o.recognised) x group by 1) v
left join lateral (
  select sum((x ->> 'quantity')::bigint) as quantity from json_array_elements(o.lines) x
  where x ->> 'line' = v.line) l on true
where coalesce(v.earned, 0) > coalesce(l.quantity, 0)

-- name: nothing_taken_back_beyond_what_was_earned
-- says: No order line took back more than it had earned.
-- do: Report a defect; correct the reversal by hand.
-- owner: finance
select x.key, x.line, x.back, x.earned from (
  select o.key, split_part(v.key, E'\x1f', -1) as line,
         sum(coalesce((v.value ->> 'quantity')::bigint, 0)) as back,
         coalesce((select sum((e.value ->> 'quantity')::bigint) from json_each(o.recognised) e
                   where split_part(e.key, E'\x1f', -1) = split_part(v.key, E'\x1f', -1)), 0) as earned
  from seen_order o cross join lateral json_each(o.reversed) v
  group by o.key, 2, 4) x
where x.back > x.earned

-- name: nothing_comes_back_that_did_not_leave
-- says: No order line counts more as returned than left, wherever it came back.
-- do: Look at the order's story; if a shipment is missing have it told, else report a defect.
-- owner: finance
select o.key, r.key as line, r.value::bigint as returned, coalesce(m.gone, 0) as gone
from seen_order o cross join lateral json_each_text(o.returned) r
left join lateral (
  select -sum(v.value::bigint) as gone from json_each_text(o.moved) v
  where split_part(v.key, E'\x1f', 1) = r.key and split_part(v.key, E'\x1f', 4) in ('sale', 'supplied')) m on true
where r.value::bigint > coalesce(m.gone, 0)

-- name: order_revision_never_negative
-- says: Every order that is kept was changed at least once.
-- do: The row was written past the hub: restore it from a backup.
select key, revision from order_state where revision < 1

-- name: order_rows_say_what_their_state_says
-- says: Number, channel, currency and total of an order row are those of its state.
-- do: The row was changed past the hub: the body is the truth, report a defect.
select key, number, channel, currency, total from seen_order
where told_revision is distinct from revision or told_key is distinct from key
   or coalesce(told_number, '') <> number or coalesce(told_channel, '') <> channel
   or coalesce(told_currency, '') <> currency or told_total is distinct from total

-- name: every_order_told_is_kept
-- says: Every order a channel told has its state, or waits behind a case.
-- do: Look for a case of its key; none: report a defect, the order is lost.
select r.key, min(r.id) from seen_record r
left join order_state s on s.key = r.key
left join seen_held h on h.key = r.key and h.room in ('orchestration', 'reading')
where r.type in ('OrderPlaced', 'OrderChanged', 'OrderCancelled') and r.carried
  and s.key is null and h.key is null
group by r.key

-- name: every_order_kept_was_told
-- says: Behind every order there is something in the log.
-- do: The row was written past the hub, or the log lost records: restore from a backup.
select s.key, s.number from order_state s
left join (select distinct key from seen_record) r on r.key = s.key
where r.key is null and to_regclass('record_0') is not null

-- name: every_till_record_told_is_kept
-- says: Every till transaction told has its state, or waits behind a case.
-- do: Look for a case of its key; none: report a defect, the transaction is lost.
select r.key, min(r.id) from seen_record r
left join sale_state s on s.key = r.key
left join seen_held h on h.key = r.key and h.room in ('orchestration', 'reading')
where r.type in ('SaleRung', 'SaleVoided', 'CashMoved', 'TillClosed', 'TillNoted') and r.carried
  and s.key is null and h.key is null
group by r.key

-- name: no_void_waits_for_a_sale_that_is_known
-- says: A void waits only while its sale is unknown, and a voided sale waits for no void.
-- do: Report a defect; the sale counts although it was voided.
select key, voided from sale_state
where pending_void is not null and voided

-- name: orders_know_what_became_of_their_documents
-- says: What an order calls accepted the ERP has accepted.
-- do: Look the document up in the ERP; report a defect.
select o.key, v.key as op, d.state from seen_order o
cross join lateral json_each(o.documents) v
join document d on d.op = v.key
where v.value ->> 'state' = 'accepted' and d.state <> 'accepted'

-- name: documents_tell_what_was_earned
-- says: Invoices less credit notes of an order are its revenue with tax, to the cent.
-- do: The ERP's ledger differs from the hub's for this order: compare both, report a defect.
-- owner: finance
select x.key, x.earned, x.told from (
  select r.key,
    sum(case r.type when 'SaleRecognised' then r.amount when 'SaleReversed' then -r.amount
        else 0 end) as earned,
    sum(case r.kind when 'invoice' then r.amount when 'credit_note' then -r.amount
        else 0 end) as told
  from (select distinct on (fact) * from seen_record
        where type in ('SaleRecognised', 'SaleReversed', 'SubmitDocument') order by fact, id) r
  group by r.key
  having bool_or(r.kind = 'sales_order')) x
where x.earned <> x.told
  and exists (select 1 from entry e where e.key = x.key and e.gl = 'documents')
  and to_regclass('record_0') is not null

-- name: every_receipt_number_belongs_to_its_sale
-- says: The number of a receipt is kept with the sale that has it.
-- do: Report a defect; that receipt could come in a second time.
select t.key, t.receipt from till_receipt t
left join sale_state s on s.key = t.key and s.receipt = t.receipt
where s.key is null

-- name: every_till_count_was_told
-- says: Behind every booked count of a till there is one in the log.
-- do: The row was written past the hub: restore it from a backup.
-- owner: finance
select c.key, c.version from till_count c
left join seen_record r on r.key = c.key and r.type = 'TillCounted'
where r.key is null and to_regclass('record_0') is not null

-- name: nobody_is_asked_for_goods_of_a_cancelled_order
-- says: What a place was asked for is called off once its order is cancelled and nothing of it left.
-- do: Call it off with those who run the place; report a defect.
select o.key, r.key as request, r.value ->> 'location' as location
from seen_order o cross join lateral json_each(o.requests) r
where o.cancelled and o.parcels is null
  and coalesce(r.value ->> 'end', '') = '' and coalesce(r.value ->> 'state', '') <> 'rejected'

-- name: no_goods_are_asked_for_twice
-- says: Before anything of an order left, its requests ask for no more of a line than it has.
-- do: Call off the newest one with those who run its place; report a defect.
select x.key, x.line, x.asked, l.quantity as ordered from (
  select o.key, o.lines::text as lines, w.value ->> 'line' as line, sum((w.value ->> 'quantity')::bigint) as asked
  from seen_order o cross join lateral json_each(o.requests) r
  cross join lateral json_each(r.value -> 'lines') w
  where o.parcels is null
    and coalesce(r.value ->> 'end', '') = '' and coalesce(r.value ->> 'state', '') <> 'rejected'
  group by o.key, o.lines::text, 3) x
left join lateral (
  select sum((y ->> 'quantity')::bigint) as quantity from json_array_elements(x.lines::json) y
  where y ->> 'line' = x.line) l on true
where x.asked > coalesce(l.quantity, 0)

-- name: what_is_called_off_was_told
-- says: Every request that counts as called off has the document that says so.
-- do: Call it off with those who run the place; report a defect.
select o.key, r.key as request, r.value ->> 'cancel' as operation
from seen_order o cross join lateral json_each(o.requests) r
left join seen_record s on s.fact = r.value ->> 'cancel' and s.type = 'SubmitDocument'
where coalesce(r.value ->> 'end', '') <> '' and s.id is null
  and to_regclass('record_0') is not null
