-- The stock book held against what a connection tells of one of its places.

-- name: on_hand
select product, sum(on_hand)::bigint from stock
where location = %b and condition in ('sellable', 'damaged', 'quarantine')
group by product

-- name: unseen
-- Movements of these products that the source may not have: those whose order's invoice (or
-- delivery, where goods are told apart) it has not taken, and those of the last while that no paper
-- tells it.
with told as (
  select d.*, d.kind = case when bool_or(d.kind = 'delivery') over (partition by d.key)
                            then 'delivery' else 'invoice' end as moves
  from document d where d.kind in ('invoice', 'sales_order', 'delivery')
    and d.key in (select m.key from stock_movement m
                  where m.location = %(location)s and m.product = any(%(products)s::text[])
                    and m.kind = 'sale')
), paper as (
  select d.key, bool_or(d.moves) as invoiced,
         bool_or(d.moves and d.state = 'accepted' and d.answered_at <= %(settled)s)
           as taken,
         bool_or(d.moves and (d.state <> 'accepted' or d.answered_at > %(settled)s))
           as waiting,
         string_agg(d.kind || ' ' || d.op || ' ' || d.state, ', ' order by d.op)
           filter (where d.state <> 'accepted' or d.answered_at > %(settled)s) as words
  from told d join dest t using (dest)
  where t.name = %(connection)s
  group by d.key
)
select m.product, m.kind || ' ' || m.key || coalesce(' (' || p.words || ')', ''), m.quantity,
       m.occurred_at,
       case when p.key is null then 'late' when not p.invoiced then 'certain'
            when p.waiting and not p.taken then 'certain' else 'open' end
from stock_movement m
left join paper p on p.key = m.key and m.kind = 'sale'
where m.location = %(location)s and m.product = any(%(products)s::text[])
  and m.condition in ('sellable', 'damaged', 'quarantine')
  and case when p.key is null then m.occurred_at > %(late)s
           else not p.invoiced or p.waiting end
order by m.occurred_at, m.id

-- name: published
-- What a channel is on the way to show, and what it sold and has not told; '' = of all places.
select p.product, p.untold, p.untold_since, p.confirmed,
       coalesce(p.changed_at, p.due, p.confirmed_at)
from publication p join dest t using (dest)
where t.name = %(connection)s and p.location in ('', %(location)s)
  and p.product = any(%(products)s::text[])
  and (p.untold > 0 or p.due is not null or p.changed_at is not null or p.unknown)

-- name: add_comparison
insert into stock_comparison
  (connection, location, basis, as_of, at, products, explained, differing)
values (%b, %b, %b, %b, %b, %b, %b, %b) returning id

-- name: add_differences
insert into stock_difference (comparison, product, ours, theirs, rest, named)
select %b, * from unnest(%b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bytea[])

-- name: last_at
select max(at) from stock_comparison where connection = %b

-- name: forget
delete from stock_comparison where at < %b

-- name: open_keys
select key from exception_case
where reason = 'stock_difference' and state = 'open' and (key = %b or starts_with(key, %b))

-- name: last
-- the newest comparison of each place
select c.id, c.connection, c.location, c.basis, c.as_of, c.at, c.products, c.explained,
       c.differing
from stock_comparison c
where c.id in (select max(id) from stock_comparison group by connection, location)
  and (%(connection)s = '' or c.connection = %(connection)s)
order by c.connection, c.location

-- name: differences
select comparison, product, ours, theirs, rest, named from stock_difference
where comparison = any(%b::bigint[]) order by comparison, rest = 0, product
