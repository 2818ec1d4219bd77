-- What never happens. Every query gives the rows that prove a lie; none means it holds.

-- name: every_delivery_has_its_body
select d.connection, d.id_hash, d.message from delivery d
left join message m on m.id = d.message
where m.id is null and d.message >= (select coalesce(min(id), 0) from message)

-- name: every_body_is_as_it_came
select m.id, m.delivery from message m join delivery d on d.message = m.id
where sha256(m.body) <> coalesce(m.stored_hash, d.body_hash)

-- name: every_message_is_in_the_log_once
select m.id, count(r.id) from message m
left join (
  select (convert_from(body, 'UTF8')::json ->> 'message')::bigint as message, id
  from record where type = 'Received'
) r on r.message = m.id
where m.id >= (select coalesce(min((convert_from(body, 'UTF8')::json ->> 'message')::bigint), 0)
               from record where type = 'Received')
group by m.id having count(r.id) <> 1

-- name: no_cursor_is_ahead_of_the_log
select c.consumer, c.lane, c.pos from cursor c
where c.pos > (select coalesce(max(id), 0) from record)

-- name: every_entry_balances
select e.id, e.fact, coalesce(sum(l.amount), 0), count(l.n), e.lines
from entry e left join entry_line l on l.entry = e.id
group by e.id, e.fact, e.lines
having coalesce(sum(l.amount), 0) <> 0 or count(l.n) <> e.lines

-- name: no_entry_line_without_entry
select l.entry, l.n from entry_line l left join entry e on e.id = l.entry where e.id is null

-- name: one_entry_per_fact_and_entity
select fact, entity, count(*) from entry group by fact, entity having count(*) > 1

-- name: on_hand_is_the_sum_of_movements
select s.location, s.product, s.on_hand, coalesce(m.sum, 0) from stock s
left join (select location, product, sum(quantity) from stock_movement group by 1, 2) m
  using (location, product)
where s.on_hand <> coalesce(m.sum, 0)

-- name: no_movement_without_a_stock_row
select distinct m.location, m.product from stock_movement m
left join stock s using (location, product) where s.location is null

-- name: reserved_is_the_sum_of_reservations
select s.location, s.product, s.reserved, coalesce(r.sum, 0) from stock s
left join (select location, product, sum(quantity) from reservation group by 1, 2) r
  using (location, product)
where s.reserved <> coalesce(r.sum, 0)

-- name: nothing_promised_beyond_stock_unnoticed
select s.location, s.product, s.on_hand, s.reserved from stock s
where s.reserved > 0 and s.reserved > s.on_hand
  and not exists (select 1 from exception_case c where c.reason = 'stock_below_reserved'
                  and c.details ->> 'location' = s.location
                  and c.details ->> 'product' = s.product)

-- name: no_reservation_without_its_answer
select r.key, r.line from reservation r left join hold h using (key)
where h.key is null or not h.ok

-- name: outbound_counts_match_jobs
select coalesce(o.dest, j.dest), coalesce(o.key, j.key), o.n, j.count from outkey o
full join (select dest, key, count(*) from job group by dest, key) j using (dest, key)
where o.n is distinct from j.count

-- name: owed_documents_have_a_job
select d.dest, d.op, d.state from document d
left join job j on j.dest = d.dest and j.op = d.op
where d.state in ('owed', 'sent', 'unknown', 'refused') and j.id is null

-- name: answered_documents_have_no_job
select d.dest, d.op, d.state from document d
join job j on j.dest = d.dest and j.op = d.op
where d.state in ('accepted', 'dropped')

-- name: accepted_documents_have_a_remote_id
select dest, op from document where state = 'accepted' and coalesce(remote_id, '') = ''

-- name: one_remote_document_per_operation
select dest, kind, remote_id, count(*) from document
where state = 'accepted' and kind <> 'reread'
group by dest, kind, remote_id having count(*) > 1

-- name: ledger_moves_agree_with_documents
select dest, op, total, move_total from document
where state = 'accepted' and move_total is not null and total is not null and total <> move_total

-- name: parked_keys_have_records_and_an_open_case
-- (a key that is ready is on its way: its case may have been closed by hand)
select k.room, k.key, k.case_id from parked_key k
left join exception_case c on c.id = k.case_id and c.state = 'open'
where (c.id is null and not k.ready)
   or not exists (select 1 from parked p where p.room = k.room and p.key = k.key)

-- name: journal_entries_reach_the_erp_once
select e.id, e.fact from entry e
where e.gl = 'journals'
  and (exists (select 1 from journal_pending p where p.entry = e.id::text)::int
       + exists (select 1 from journal_summary s where s.entry = e.id::text)::int) <> 1

-- name: no_journal_for_what_the_erp_books_itself
select e.id, e.fact from entry e
where e.gl = 'documents'
  and (exists (select 1 from journal_pending p where p.entry = e.id::text)
       or exists (select 1 from journal_summary s where s.entry = e.id::text))

-- name: refunded_never_exceeds_captured
select key, number from (
  select key, number,
    (select coalesce(sum(value::bigint), 0) from json_each_text(
      coalesce(convert_from(body, 'UTF8')::json -> 'refunded', '{}'))) as refunded,
    (select coalesce(sum(value::bigint), 0) from json_each_text(
      coalesce(convert_from(body, 'UTF8')::json -> 'deposited', '{}'))) as deposited
  from order_state
) x where refunded > deposited

-- name: till_sales_are_booked_or_parked
select s.key from sale_state s
where s.type = 'SaleRung' and s.fact_hash is not null and s.total <> 0
  and not exists (select 1 from entry e where e.key = s.key)
  and not exists (select 1 from exception_case c where c.key = s.key)

-- name: order_revision_never_negative
select key from order_state where revision < 1

-- name: the_audit_is_one_chain
select a.id, a.actor, a.action from (
  select audit as link, id, actor, action, previous, hash,
    lag(id, 1, 0::bigint) over (order by id) as id_before,
    lag(hash, 1, sha256('')) over (order by id) as hash_before
  from audit
) a
where a.id <> a.id_before + 1 or a.previous <> a.hash_before or a.hash <> audit_hash(a.link)
