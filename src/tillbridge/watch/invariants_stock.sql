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

-- name: nothing_is_reserved_beyond_stock
-- says: No more is reserved anywhere than is there: what leaves moves or ends what it was promised to.
-- do: Report a defect; count the place, a count below what is reserved sources it anew.
select location, product, on_hand, reserved from stock where reserved > greatest(on_hand, 0)

-- name: nothing_is_promised_beyond_supply
-- says: No more is promised out of a supply than is still to come of it.
-- do: Report a defect; the newest of these orders wait for goods that nobody sends.
select p.supply, p.product, p.location, s.expected, s.received, s.closed, p.sum
from (select supply, product, location, sum(quantity) from promise group by 1, 2, 3) p
left join supply s using (supply, product, location)
where p.sum > case when s.closed then 0 else greatest(s.expected - s.received, 0) end
   or s.supply is null

-- name: every_supply_is_as_it_was_told
-- says: What is expected of a supply is what its newest telling said, and nothing once it is closed.
-- do: Report a defect; have the purchase told again with a newer version.
select s.supply, s.product, s.location, s.version, p.version, s.closed
from supply s left join purchase p using (supply)
where s.version <> ''
  and (p.supply is null or p.version <> s.version
       or s.closed <> (p.closed or coalesce(p.ended = '' or p.version <= p.ended, false)))

-- name: what_came_of_a_supply_is_in_the_book
-- says: What counts as received of a supply was booked as its receipts, and nothing else.
-- do: Report a defect; more or less is waited for than will come.
select coalesce(s.supply, m.supply), coalesce(s.product, m.product), s.received, m.quantity
from (select * from supply where received <> 0) s
full join (
  select cause as supply, product, location, sum(quantity) as quantity from stock_movement
  where kind = 'receipt' and cause <> '' group by 1, 2, 3
) m using (supply, product, location)
where coalesce(s.received, 0) <> coalesce(m.quantity, 0)

-- name: no_promise_without_its_answer
-- says: Every promise out of a supply belongs to an order that was told of it.
-- do: Report a defect; goods are kept for nobody, or an order waits in vain.
select p.key, p.line, p.supply from promise p left join hold h using (key)
where h.key is null or not h.ok or not h.promised

-- name: no_reservation_without_its_answer
-- says: Every reservation belongs to a request that was answered yes and has not ended.
-- do: Report a defect; the pieces are held for nobody.
select r.key, r.line from reservation r left join hold h using (key)
where h.key is null or not h.ok or h.ended <> ''

-- name: no_hold_is_past_its_time
-- says: What a cart holds is free again when its time is over.
-- do: See whether a worker runs (`tillbridge status`); if one does, report a defect.
select key, expires_at from hold
where kind = 'soft' and ended = '' and expires_at < now() - interval '1 minute'

-- name: every_hold_granted_holds_something
-- says: A buyer who was told yes has pieces, until his hold ends.
-- do: Report a defect; he was promised what is sold to somebody else.
select h.key from hold h left join reservation r using (key)
where h.desk and h.ended = '' and r.key is null

-- name: every_hold_is_as_it_was_told
-- says: The log tells of every hold granted, and of each change of it.
-- do: Somebody wrote into the book past the hub: find out who, then release what is nobody's.
select coalesce(h.key, t.key), h.version, t.times
from (select key, version from hold where desk) h
full join (select key, count(*) as times from seen_record
           where type in ('StockHeld', 'HoldConfirmed', 'HoldMoved', 'HoldReleased')
           group by key) t on t.key = h.key
where h.version is distinct from t.times and to_regclass('record_0') is not null

-- name: what_is_held_is_what_the_order_wants
-- says: An order whose request was granted holds exactly what it still has to ship.
-- do: Report a defect; pieces are held for nothing or sold twice.
with wanted as materialized (
  -- a substitute is wanted under product and line
  select o.key, split_part(w.key, E'\x1f', -1) as line, sum(w.value::bigint) as quantity
  from seen_order o join hold h on h.key = o.key and h.version = o.hold_version and h.ok
  cross join lateral json_each_text(o.wanted) w
  group by 1, 2
), held as materialized (
  -- a line may stand at several places; one of several products is a bundle's, told in its own units
  select x.key, x.line, sum(x.quantity) as quantity,
         count(distinct x.product) > 1 or bool_or(c.product is not null) as bundle
  from (
    select key, line, product, quantity from reservation
    union all
    select key, line, product, quantity from promise
  ) x
  join hold h on h.key = x.key and h.ok
  join seen_order o on o.key = x.key and o.hold_version = h.version
  left join (select distinct product from item_component) c on c.product = x.product
  group by x.key, x.line
)
select coalesce(w.key, r.key), coalesce(w.line, r.line), w.quantity, r.quantity
from wanted w full join held r on r.key = w.key and r.line = w.line
where w.quantity is distinct from r.quantity
  and (r.bundle is not true or w.quantity is null)

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

-- name: what_changes_place_or_condition_is_neither_made_nor_lost
-- says: What changes place or condition is taken off one row and put on another.
-- do: Report a defect, then count both places.
select fact, kind, product, sum(quantity)::bigint from stock_movement
where kind in ('condition', 'transfer_out', 'transfer_in')
group by fact, kind, product having sum(quantity) <> 0

-- name: what_never_arrived_has_its_case
-- says: A transfer that was sent and received whole, and differs, was told to somebody.
-- do: Compare both papers; report that no case was opened.
select m.key, m.product, sum(m.quantity) filter (where m.condition = 'in_transit')
from stock_movement m
where m.kind in ('transfer_out', 'transfer_in')
  and not exists (select 1 from exception_case c where c.key = m.key
                  and c.reason in ('transfer_short', 'transfer_over'))
group by m.key, m.product
having sum(m.quantity) filter (where m.condition = 'in_transit') <> 0
  and bool_or(m.kind = 'transfer_out') and bool_or(m.kind = 'transfer_in' and m.cause = 'complete')

-- name: a_transfer_holds_no_more_than_has_not_left
-- says: What a transfer holds at its origin is at most what was ordered and has not left yet.
-- do: Report a defect; pieces are held that nobody will send.
with ordered as materialized (
  select t.key, l.product, sum(l.quantity * coalesce(p.quantity, 1000) / 1000) as quantity
  from seen_transfer t
  cross join lateral json_to_recordset(coalesce(t.wanted, '[]'))
    l (product text, quantity bigint, unit text)
  left join item_pack p on p.product = l.product and p.unit = l.unit
  group by t.key, l.product
), gone as materialized (
  select key, product, -sum(quantity) as quantity from stock_movement
  where kind = 'transfer_out' and condition = 'sellable' group by key, product
), held as materialized (
  select r.key, r.product, sum(r.quantity) as quantity from reservation r
  join seen_transfer t on t.key = r.key
  join hold h on h.key = r.key and h.version = t.hold_version
  where r.product not in (select product from item_component)
  group by r.key, r.product
)
select h.key, h.product, h.quantity, o.quantity, g.quantity from held h
left join ordered o using (key, product)
left join gone g using (key, product)
where h.quantity > greatest(coalesce(o.quantity, 0) - coalesce(g.quantity, 0), 0)

-- name: what_is_in_transit_was_sent_and_not_received
-- says: What moved of a transfer is what was told as sent less what was told as received.
-- do: Look for a case of its key; none: report a defect, then count both places.
with told as materialized (
  -- in base units, for what is told in them or in packs; a bundle moves as its components
  select x.key, l.product, sum(x.sign * l.quantity * coalesce(p.quantity, 1000) / 1000) as quantity
  from (
    select t.key, 1 as sign, s.value from seen_transfer t cross join lateral json_each(t.sent) s
    union all
    select t.key, -1, r.value from seen_transfer t cross join lateral json_each(t.received) r
  ) x
  cross join lateral json_to_recordset(x.value -> 'lines')
    l (product text, quantity bigint, unit text)
  left join item_pack p on p.product = l.product and p.unit = l.unit
  group by x.key, l.product
), moved as materialized (
  select m.key, m.product, sum(m.quantity) as quantity from stock_movement m
  join seen_transfer t using (key)
  where m.condition = 'in_transit' and m.kind in ('transfer_out', 'transfer_in')
  group by m.key, m.product
)
select coalesce(t.key, m.key), coalesce(t.product, m.product), t.quantity, m.quantity
from told t full join moved m on m.key = t.key and m.product = t.product
where coalesce(t.quantity, 0) <> coalesce(m.quantity, 0)
  and coalesce(t.key, m.key) not in (
    select key from seen_held where room in ('posting.stock', 'orchestration', 'reading'))
  and coalesce(t.key, m.key) not in (
    select t.key from told t join item_component c on c.bundle = t.product)

-- name: no_bundle_is_in_stock
-- says: A bundle has no stock of its own; only its components are on hand or reserved.
-- do: Report a defect; the pieces cannot be sold as what they are.
select distinct s.location, s.product, s.on_hand, s.reserved from stock s
join item_component c on c.bundle = s.product
where s.on_hand <> 0 or s.reserved <> 0

-- name: every_movement_asked_for_is_booked
-- says: What shipments and returns moved stands in the stock book.
-- do: Look for a case of its key; none: report a defect, then count the place.
select r.id, r.key, r.fact from seen_record r
left join (select distinct fact from stock_movement) m on m.fact = r.fact
left join seen_held h on h.key = r.key and h.room in ('posting.stock', 'reading')
where r.type in ('MoveStock', 'StockAdjusted', 'ConditionChanged', 'StockReceived',
                 'TransferDispatched')
  and r.carried and m.fact is null and h.key is null

-- name: goods_are_valued_as_they_moved
-- says: Where the hub values stock, the worth of goods is that of their movement, once.
-- do: Report a defect; the inventory of that place is wrong by it.
-- owner: finance
select v.movement, v.key, v.product, v.location from goods_value v
left join stock_movement m on m.id = v.movement
where m.id is null
   or (m.key, m.product, m.location, m.quantity) <> (v.key, v.product, v.location, v.quantity)
   or (m.condition = 'damaged') <> v.damaged

-- name: what_goods_are_worth_was_told
-- says: What the hub says stands in the inventory is what it told the money book, per key.
-- do: Report a defect; `tillbridge costs show` against the inventory accounts tells by how much.
-- owner: finance
select x.key, sum(x.told) as told, sum(x.worth) as worth from (
  select r.key, r.amount as told, 0 as worth from seen_record r where r.type = 'CostMoved'
  union all
  select key, 0, coalesce(worth, 0) from goods_value
  union all
  select 'cost/' || replace(replace(entity, '%', '%25'), '/', '%2F') || '/'
         || replace(replace(product, '%', '%25'), '/', '%2F'), 0, amount from goods_revalued
) x
group by x.key having sum(x.told) <> sum(x.worth)
