-- State of the deciders, loaded and written as sets.

-- name: load_orders
select key, body from order_state where key = any(%b::text[])

-- name: save_orders
insert into order_state (key, revision, number, channel, status, currency, total, placed_at, body,
                         lapses_at, ready_since, refund_due_at)
select k, r, n, c, s, cu, t, p, b, l, rs, ro
from unnest(%b::text[], %b::int[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[],
            %b::timestamptz[], %b::bytea[], %b::timestamptz[], %b::timestamptz[],
            %b::timestamptz[]) x (k, r, n, c, s, cu, t, p, b, l, rs, ro)
on conflict (key) do update set
  revision = excluded.revision, number = excluded.number, channel = excluded.channel,
  status = excluded.status, currency = excluded.currency, total = excluded.total,
  placed_at = excluded.placed_at, body = excluded.body, lapses_at = excluded.lapses_at,
  ready_since = excluded.ready_since, refund_due_at = excluded.refund_due_at

-- name: save_receivables
insert into receivable (key, order_key, n, kind, number, erp_number, order_number, entity, channel,
                        party, currency, issued_on, due_on, total, credited, paid)
select * from unnest(%b::text[], %b::text[], %b::int[], %b::text[], %b::text[], %b::text[],
                     %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::date[],
                     %b::date[], %b::bigint[], %b::bigint[], %b::bigint[])
on conflict (key) do update set
  erp_number = excluded.erp_number, order_number = excluded.order_number,
  channel = excluded.channel, party = excluded.party, credited = excluded.credited,
  paid = excluded.paid
where (receivable.erp_number, receivable.order_number, receivable.channel, receivable.party,
       receivable.credited, receivable.paid)
   is distinct from (excluded.erp_number, excluded.order_number, excluded.channel, excluded.party,
                     excluded.credited, excluded.paid)

-- name: waiting_for_buyers
-- Orders of which something lies ready, the oldest first, from one on
select key, ready_since, body from order_state
where ready_since is not null and (ready_since, key) > (%b::timestamptz, %b::text)
order by ready_since, key limit %b

-- name: load_sales
select key, type, fact_hash, source, location, till, business_date, sequence, receipt, total,
       currency, voided, pending_void, returns, aisle
from sale_state where key = any(%b::text[])

-- name: save_sales
insert into sale_state (key, type, fact_hash, source, location, till, business_date, sequence,
                        receipt, total, currency, voided, pending_void, returns, aisle, heard_at)
select x.*, %b::timestamptz
from unnest(%b::text[], %b::text[], %b::bytea[], %b::text[], %b::text[], %b::text[],
            %b::date[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::bool[],
            %b::bytea[], %b::bytea[], %b::bytea[]) x
on conflict (key) do update set
  type = excluded.type, fact_hash = excluded.fact_hash, source = excluded.source,
  location = excluded.location, till = excluded.till, business_date = excluded.business_date,
  sequence = excluded.sequence, receipt = excluded.receipt, total = excluded.total,
  currency = excluded.currency, voided = excluded.voided, pending_void = excluded.pending_void,
  returns = excluded.returns, aisle = excluded.aisle,
  -- when the transaction itself was heard, not a void that came before it
  heard_at = case when sale_state.fact_hash is null then excluded.heard_at
                  else sale_state.heard_at end

-- name: load_counts
select key, version, booked from till_count where key = any(%b::text[])

-- name: save_counts
insert into till_count (key, version, booked)
select * from unnest(%b::text[], %b::int[], %b::bytea[])
on conflict (key) do update set version = excluded.version, booked = excluded.booked

-- name: load_receipts
select t.location, t.till, t.business_date, t.receipt, t.key
from till_receipt t
join unnest(%b::text[], %b::text[], %b::date[], %b::text[]) x (l, t, d, r)
  on t.location = x.l and t.till = x.t and t.business_date = x.d and t.receipt = x.r

-- name: save_receipts
-- two at once for one number: the second is refused, run again, and finds the first
insert into till_receipt (location, till, business_date, receipt, key)
select * from unnest(%b::text[], %b::text[], %b::date[], %b::text[], %b::text[])
