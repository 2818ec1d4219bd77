-- Tax documents: what tax services were asked and what they keep agrees with the orders.
-- The form of a block is told in invariants.py.

-- name: every_tax_document_is_of_an_order
-- says: Every tax document is about an order that is kept.
-- do: The row was written past the hub: restore it from a backup.
select t.key, t.order_key from tax_document t
left join order_state s on s.key = t.order_key where s.key is null

-- name: tax_services_accepted_what_is_called_done
-- says: What a tax document calls calculated, committed or voided its tax service has accepted.
-- do: Look the document up at the tax service; report a defect.
-- owner: finance
select t.key, t.state from tax_document t
where t.state in ('calculated', 'committed', 'voided')
  and not exists (select from document d where d.key = t.key and d.state = 'accepted')

-- name: tax_services_keep_the_tax_that_was_earned
-- says: Committed tax of sales less that of returns is the tax in the books, to the cent.
-- do: Compare the order with the tax service (`tillbridge taxes list`), report a defect.
-- owner: finance
-- at rest
select x.order_key, x.kept, e.tax - r.tax as booked
from (
  select order_key, coalesce(sum(case direction when 'sale' then tax else -tax end)
                             filter (where state = 'committed'), 0) as kept
  from tax_document group by order_key
  having bool_or(subject like 'sale-%') and not bool_or(state in ('asked', 'refused'))) x
join seen_order o on o.key = x.order_key
cross join lateral (
  select coalesce(sum(t.value::bigint), 0) as tax
  from json_each(o.recognised) l cross join lateral json_each_text(l.value -> 'taxes') t
  where split_part(t.key, E'\x1f', 3) = 'seller') e
cross join lateral (
  select coalesce(sum(t.value::bigint), 0) as tax
  from json_each(o.reversed) l cross join lateral json_each_text(l.value -> 'taxes') t
  where split_part(t.key, E'\x1f', 3) = 'seller') r
where x.kept <> e.tax - r.tax
