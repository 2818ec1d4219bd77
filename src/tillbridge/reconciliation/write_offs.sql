-- Open items, and those that were written off.

-- name: open
select e.entity, l.account, l.item, l.txn_currency, sum(l.txn_amount)::bigint, min(e.business_date)
from entry_line l join entry e on e.id = l.entry
where e.entity = %b and l.account = %b and l.item = %b and l.item <> ''
group by e.entity, l.account, l.item, l.txn_currency
having sum(l.txn_amount) <> 0

-- name: small
select e.entity, l.account, l.item, l.txn_currency, sum(l.txn_amount)::bigint, min(e.business_date)
from entry_line l join entry e on e.id = l.entry
where e.entity = %b and l.account = %b and l.item <> ''
group by e.entity, l.account, l.item, l.txn_currency
having abs(sum(l.txn_amount)) between 1 and %b
order by 6, 3 limit 500

-- name: turn
select count(*) from item_written_off where (entity, account, item) = (%b, %b, %b)

-- name: write
insert into item_written_off (entity, account, item, turn, amount, currency, fact, by, at)
values (%b, %b, %b, %b, %b, %b, %b, %b, %b)
