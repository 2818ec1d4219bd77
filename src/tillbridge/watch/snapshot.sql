-- What many invariants look at, read once: temporary tables filled inside the snapshot. Bodies are
-- parsed here and nowhere else.

-- name: make
create temp table if not exists seen_record (
  id bigint, lane smallint, key text, type text, cause bigint, carried boolean, fact text,
  message bigint, kind text, amount bigint, card text
) on commit delete rows;
create temp table if not exists seen_order (
  key text, revision int, number text, channel text, currency text, total bigint,
  told_key text, told_revision int, told_number text, told_channel text, told_currency text,
  told_total bigint, hold_version int, deposited bigint, refunded bigint,
  lines json, recognised json, reversed json, wanted json, documents json,
  moved json, returned json, requests json, parcels json, cancelled boolean, account json
) on commit delete rows;
create temp table if not exists seen_transfer (
  key text, status text, hold_version int, wanted json, sent json, received json
) on commit delete rows;
create temp table if not exists seen_held (room text, key text) on commit delete rows

-- name: drop
drop table if exists seen_record, seen_order, seen_transfer, seen_held

-- name: settings
-- Hash joins over whole tables: with estimates of a table that has just grown a nested loop would
-- take hours. Statements may take as long as the caller says.
select set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true),
       set_config('work_mem', '64MB', true), set_config('hash_mem_multiplier', '4', true),
       set_config('idle_in_transaction_session_timeout', '600000', true),
       set_config('statement_timeout', %b, true)

-- name: fill_records
-- carried: through the flow, so its effects must be there; the others wait behind a cursor
insert into seen_record
select r.id, r.lane, r.key, r.type, r.cause, r.fused or r.id <= coalesce(c.pos, 0), b.id, b.message,
  case when r.type = 'SubmitDocument' then b.kind end,
  case
    when r.type in ('DepositReceived', 'RefundPaid') then
      (select sum((t ->> 'amount')::bigint) from json_array_elements(b.tenders) t)
    when r.type = 'OpenItemWrittenOff' then b.amount
    when r.type = 'ReturnsExpected' then
      (select sum((t ->> 'refund')::bigint) from json_array_elements(b.rows) t)
    when r.type = 'BreakageRecognised' then
      (select sum((t ->> 'amount')::bigint) from json_array_elements(b.rows) t)
    when r.type = 'CostMoved' then
      (select sum((g ->> 'amount')::bigint) from json_array_elements(b.goods) g)
    when r.type = 'DisputeMoved' then
      (select sum((c ->> 'amount')::bigint) from json_array_elements(b.claims) c)
    when b.card is not null then b.amount
    when r.type in ('SaleRecognised', 'SaleReversed') then
      (select coalesce(sum(coalesce((l ->> 'list')::bigint, 0)
                           - coalesce((l ->> 'discount')::bigint, 0)), 0)
       from json_array_elements(b.lines) l)
      + (select coalesce(sum((t ->> 'tax')::bigint), 0) from json_array_elements(b.taxes) t
         where coalesce(t ->> 'collector', 'seller') = 'seller')
    when r.type = 'SubmitDocument' then
      (coalesce(b.sales_order, b.sales_order_change, b.invoice, b.credit_note,
                b.refund) ->> 'total')::bigint
    when r.type = 'JournalSummed' then json_array_length(b.entries)
  end,
  b.card
from record r
left join cursor c on c.consumer = 'flow' and c.lane = r.lane
left join lateral json_to_record(
  case when r.type not in (  -- large or many, and nothing looks for their id
    'OrderPlaced', 'OrderChanged', 'OrderCancelled', 'GoodsShipped', 'RefundIssued', 'EntryPosted',
    'ReserveStock', 'StockReserved', 'RecordsTaken', 'NamesChanged')
  then convert_from(r.body, 'UTF8')::json end
) b (id text, message bigint, kind text, tenders json, lines json, taxes json, sales_order json,
     sales_order_change json, invoice json, credit_note json, refund json, entries json, claims json,
     amount bigint, card text, goods json, rows json) on true

-- name: fill_orders
insert into seen_order
select s.key, s.revision, s.number, s.channel, s.currency, s.total,
  b.key, coalesce(b.revision, 0), b."order" ->> 'number', b."order" ->> 'channel',
  b."order" ->> 'currency', (b."order" ->> 'total')::bigint, coalesce(b.hold_version, 0),
  (select coalesce(sum(value::bigint), 0) from json_each_text(b.deposited))
  + (select coalesce(sum((t ->> 'amount')::bigint), 0)
     from json_array_elements(b."order" -> 'till_paid') t),
  (select coalesce(sum(value::bigint), 0) from json_each_text(b.refunded)),
  case when b.recognised is not null or b.requests is not null then b."order" -> 'lines' end,
  b.recognised, b.reversed, b.wanted, b.documents, b.moved, b.returned, b.requests, b.shipments,
  b."order" ->> 'cancelled_at' is not null, b.account
from order_state s
cross join lateral json_to_record(convert_from(s.body, 'UTF8')::json)
  b (key text, revision int, "order" json, hold_version int, deposited json, refunded json,
     recognised json, reversed json, wanted json, documents json, moved json, returned json,
     requests json, shipments json, account json)

-- name: fill_transfers
insert into seen_transfer
select s.key, s.status, s.hold_version, b.wanted, b.sent, b.received
from transfer_state s
cross join lateral json_to_record(convert_from(s.body, 'UTF8')::json)
  b (wanted json, sent json, received json)

-- name: fill_held
-- Keys of which something was held back, now or once (it may have been given up): what follows from
-- it may rightly be missing. Notices hold nothing back.
insert into seen_held
select room, key from parked_key
union select room, key from exception_case
where reason not in ('stock_short', 'supply_late', 'tender_missing', 'tax_missing',
                     'refund_beyond_payment', 'pickup_expired', 'return_beyond_shipment',
                     'return_in_other_currency', 'return_without_receipt',
                     'substitution_refused', 'substitution_price', 'called_off_too_late',
                     'item_conflict', 'stock_snapshot_old',
                     'stock_counts_disagree', 'stock_count_negative', 'transfer_short',
                     'transfer_over', 'void_after_shipping', 'transfer_not_held',
                     'transfer_ends_differ',
                     'capture_beyond_authorization', 'capture_after_void',
                     'capture_failed', 'authorization_lapsing', 'payment_roads_differ',
                     'settled_below_value', 'refund_failed', 'payment_disputed',
                     'refund_while_disputed', 'card_overdrawn', 'refund_owed',
                     'fulfilment_told_twice', 'refund_approval', 'refund_unexplained')

-- name: analyze
analyze seen_record, seen_order, seen_transfer, seen_held

-- name: top
select coalesce(max(id), 0) from record
