-- What a hub knows, table by table, as far as its log tells it. Left out: numbers of rows, instants
-- of writing, physical order. `what` names a row to a person. Every block is one table of the same
-- name; the digest of a table does not depend on the order of its rows.

-- name: order_state
select key as what, revision, number, channel, status, currency, total, placed_at, body, lapses_at,
       ready_since, refund_due_at
from order_state

-- name: receivable
select key as what, order_key, n, kind, number, erp_number, order_number, entity, channel, party,
       currency, issued_on, due_on, total, credited, paid
from receivable

-- name: sale_state
select key as what, type, fact_hash, source, location, till, business_date, sequence, receipt,
       total, currency, voided, pending_void, returns, aisle
from sale_state

-- name: till_count
select key as what, version, booked from till_count

-- name: till_receipt
select location || ' ' || till || ' ' || business_date || ' ' || receipt as what, key
from till_receipt

-- name: transfer_state
select key as what, revision, number, origin, destination, status, due_at, hold_version, body
from transfer_state

-- name: proposal_state
select key as what, revision, number, kind, source, location, status, proposed_at, due_at, remote,
       body
from proposal_state

-- name: tax_document
select key as what, revision, order_key, subject, state, service, entity, direction, currency,
       amount, tax, words, body
from tax_document

-- name: stock
-- a row that holds nothing may only have been locked by a record that was given up
select location || ' ' || product || ' ' || condition as what, on_hand, reserved, counted_at,
       heard_at from stock
where on_hand <> 0 or reserved <> 0 or counted_at is not null

-- name: stock_movement
select fact || ' ' || location || ' ' || product || ' ' || condition as what, key, kind, cause,
       quantity, occurred_at
from stock_movement

-- name: reservation
select key || ' ' || line || ' ' || product || ' ' || location as what, quantity from reservation

-- name: hold
select key as what, version, ok, short, kind, channel, expires_at, locations, split_most, placed_at,
       desk, ended, turn, backorder, preorder, promised from hold

-- name: supply
select supply || ' ' || product || ' ' || location as what, version, due_at, expected, received,
       closed from supply

-- name: purchase
select supply as what, version, digest, supplier, location, due_at, ordered_at, closed, ended,
       reason, proposal
from purchase

-- name: promise
select key || ' ' || line || ' ' || product || ' ' || supply || ' ' || location as what, quantity
from promise

-- name: waiting
select key as what, version, turn, lines, wanted, takes, recount, failed_at from waiting

-- name: stock_evidence
select source || ' ' || location || ' ' || product || ' ' || basis as what, quantity, counted_at
from stock_evidence

-- name: item
select product as what, title, unit, step, category, sellable, version from item

-- name: item_pack
select product || ' ' || unit as what, quantity from item_pack

-- name: item_component
select bundle || ' ' || product as what, quantity from item_component

-- name: availability_rules
select row_number() over (order by id)::text as what, encode(hash, 'hex') as hash, text
from availability_rules

-- name: entry
select id::text as what, fact, fact_type, fact_hash, key, entity, rule, rule_version, rule_hash,
       business_date, posted_date, currency, flow, channel, location, gl, reverses, lines
from entry

-- name: entry_line
select entry || ' ' || n as what, account, amount, txn_amount, txn_currency, item from entry_line

-- name: sale_void
select voided as what, fact, fact_hash, version, body, posted from sale_void

-- name: period
select entity || ' ' || period as what, state from period

-- name: period_admission
select entity || ' ' || period || ' ' || key as what from period_admission

-- name: document
-- whether an owed one is being sent is not told by the log, nor what became of a re-read
select t.name || ' ' || d.op as what, d.key, d.kind, d.total,
       case when d.kind = 'reread' then '' when d.state in ('sent', 'unknown') then 'owed'
            else d.state end as state,
       case when d.kind = 'reread' then '' else coalesce(d.remote_id, '') end as remote_id,
       coalesce(d.number, '') as number, coalesce(d.move, '') as move, d.move_total
from document d join dest t using (dest)

-- name: journal_pending
select entry || ' ' || n as what, entity, flow, place, day, currency, account, amount, item
from journal_pending

-- name: journal_summary
select entry as what, op from journal_summary

-- name: xref
select connection || ' ' || kind || ' ' || theirs as what, ours from xref

-- name: parked
select room || ' ' || key as what, type, version, body from parked
