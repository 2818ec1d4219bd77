-- Writing the item master.

-- name: write_lock
-- lock 69, see items.sql
select pg_advisory_xact_lock(69)

-- name: in_stock
-- products whose unit and kind must stay as they are, because pieces of them are in the book
select distinct product from stock
where product = any(%b::text[]) and (on_hand <> 0 or reserved <> 0)

-- name: save
insert into item (product, version, title, unit, step, category, sellable)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[],
                     %b::bool[])
on conflict (product) do update
set version = excluded.version, title = excluded.title, unit = excluded.unit,
    step = excluded.step, category = excluded.category, sellable = excluded.sellable

-- name: drop_packs
delete from item_pack where product = any(%b::text[])

-- name: drop_components
delete from item_component where bundle = any(%b::text[])

-- name: add_packs
insert into item_pack (product, unit, quantity)
select * from unnest(%b::text[], %b::text[], %b::bigint[])

-- name: add_components
insert into item_component (bundle, product, quantity)
select * from unnest(%b::text[], %b::text[], %b::bigint[])
