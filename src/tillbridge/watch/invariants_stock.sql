-- The stock book: on hand, reserved, held.
-- The form of a block is told in invariants.py.

-- name: on_hand_is_the_sum_of_movements
-- says: What the book has on hand is the sum of what came and went.
-- do: The row was changed past the hub: count the place, a count corrects it.
select s.location, s.product, s.condition, s.on_hand, coalesce(m.sum, 0) from stock s
left join (
  select location, product, condition, sum(quantity) from stock_movement group by 1, 2, 3
) m using (location, product, condition)
where s.on_hand <> coalesce(m.sum, 0)

-- name: no_movement_without_a_stock_row
-- says: Every movement is at a place the book keeps.
-- do: A stock row was deleted: restore it from a backup.
select distinct m.location, m.product, m.condition from stock_movement m
left join stock s using (location, product, condition) where s.location is null

-- name: reserved_is_the_sum_of_reservations
-- says: What counts as reserved is the sum of what orders hold.
-- do: Report a defect; too much reserved refuses orders, too little sells twice.
select s.location, s.product, s.reserved, coalesce(r.sum, 0) from stock s
left join (select location, product, sum(quantity) from reservation group by 1, 2) r
  using (location, product)
where s.condition = 'sellable' and s.reserved <> coalesce(r.sum, 0)

-- name: no_reservation_without_a_stock_row
-- says: Every reservation is at a place the book keeps.
-- do: A stock row was deleted: restore it from a backup.
select distinct r.location, r.product from reservation r
left join stock s on s.location = r.location and s.product = r.product
  and s.condition = 'sellable'
where s.location is null

-- name: nothing_promised_beyond_stock_unnoticed
-- says: Where more is promised than is there, somebody was told.
-- do: Move stock or fulfil from elsewhere; report that no case was opened.
select s.location, s.product, s.on_hand, s.reserved from stock s
where s.reserved > 0 and s.reserved > s.on_hand
  and not exists (select 1 from exception_case c where c.reason = 'stock_below_reserved'
                  and c.details ->> 'location' = s.location
                  and c.details ->> 'product' = s.product)

-- name: no_reservation_without_its_answer
-- says: Every reservation belongs to a request that was answered yes.
-- do: Report a defect; the pieces are held for nobody.
select r.key, r.line from reservation r left join hold h using (key)
where h.key is null or not h.ok

-- name: what_is_held_is_what_the_order_wants
-- says: An order whose request was granted holds exactly what it still has to ship.
-- do: Report a defect; pieces are held for nothing or sold twice.
with wanted as materialized (
  select o.key, w.key as line, w.value::bigint as quantity
  from seen_order o join hold h on h.key = o.key and h.version = o.hold_version and h.ok
  cross join lateral json_each_text(o.wanted) w
), held as materialized (
  select r.key, r.line, r.quantity from reservation r
  join hold h on h.key = r.key and h.ok
  join seen_order o on o.key = r.key and o.hold_version = h.version
)
select coalesce(w.key, r.key), coalesce(w.line, r.line), w.quantity, r.quantity
from wanted w full join held r on r.key = w.key and r.line = w.line
where w.quantity is distinct from r.quantity

-- name: no_answer_is_ahead_of_its_order
-- says: No reservation answers a request its order has not made.
-- do: Report a defect; the order would ignore its own later requests.
select o.key, h.version, o.hold_version from hold h join seen_order o on o.key = h.key
where h.version > o.hold_version

-- name: every_order_got_its_answer
-- says: Once nothing moves, every request for stock has been answered.
-- do: Look for a case of its key; none: report a defect.
-- at rest
select o.key, o.hold_version, h.version from seen_order o
left join hold h on h.key = o.key
left join seen_held x on x.key = o.key and x.room in ('posting.stock', 'reading')
where o.hold_version > coalesce(h.version, 0) and x.key is null

-- name: every_movement_was_told
-- says: Behind every movement there is a fact or command in the log.
-- do: Somebody wrote into the book past the hub: find out who, then count the place.
select m.id, m.fact, m.location, m.product from stock_movement m
left join (select distinct fact from seen_record where fact is not null) r on r.fact = m.fact
where r.fact is null and to_regclass('record_0') is not null

-- name: every_movement_asked_for_is_booked
-- says: What shipments and returns moved stands in the stock book.
-- do: Look for a case of its key; none: report a defect, then count the place.
select r.id, r.key, r.fact from seen_record r
left join (select distinct fact from stock_movement) m on m.fact = r.fact
left join seen_held h on h.key = r.key and h.room in ('posting.stock', 'reading')
where r.type = 'MoveStock' and r.carried and m.fact is null and h.key is null
