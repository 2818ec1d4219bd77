-- Since when the oldest pick-up of an order lies ready, and from when it is a case that its buyer is
-- owed money. Columns of their own, empty for nearly all orders: an index by status would make every
-- step of every order write all indexes anew.
alter table order_state add column ready_since timestamptz, add column refund_due_at timestamptz;
create index order_ready on order_state (ready_since, key) where ready_since is not null;
create index order_refund_due on order_state (refund_due_at) where refund_due_at is not null;
update order_state set ready_since = r.since
from (
  select o.key, min((s.value ->> 'since')::timestamptz) as since
  from order_state o cross join lateral json_each(convert_from(o.body, 'UTF8')::json -> 'shipments') s
  where o.status in ('ready', 'picking', 'part-shipped', 'short', 'backordered')
    and s.value ->> 'state' = 'ready'
  group by o.key) r
where r.key = order_state.key and r.since is not null;
