-- Ground and checker of `bench reserve`.

-- name: fill
insert into stock (location, product, on_hand)
select %b::text, p, %b::bigint from unnest(%b::text[]) p
on conflict (location, product, condition) do update set on_hand = excluded.on_hand

-- name: empty
truncate hold, reservation, api_answer

-- name: forget
delete from record where type in ('StockHeld', 'HoldReleased', 'HoldConfirmed')

-- name: give_back
update stock set reserved = 0, changed_at = null

-- name: counts
select (select count(*) from hold where ok and ended = ''), (select count(*) from api_answer),
       (select count(*) from record where type = 'StockHeld'),
       (select count(*) from reservation), (select coalesce(sum(quantity), 0) from reservation),
       (select coalesce(sum(reserved), 0) from stock)

-- name: lies
select s.location, s.product, s.on_hand, s.reserved, coalesce(r.quantity, 0)
from stock s left join (
  select location, product, sum(quantity) quantity from reservation group by 1, 2
) r using (location, product)
where s.condition = 'sellable'
  and (s.reserved <> coalesce(r.quantity, 0) or coalesce(r.quantity, 0) > s.on_hand)
limit 5
