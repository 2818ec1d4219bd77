-- What partners are due and owe, out of the books.

-- name: balances
select l.account, e.currency,
       coalesce(sum(l.amount) filter (where e.posted_date < %(first)s), 0)::bigint,
       coalesce(sum(l.amount) filter (where e.posted_date >= %(first)s), 0)::bigint
from entry_line l join entry e on e.id = l.entry
where e.entity = %(entity)s and e.posted_date < %(after)s
  and l.account in ('partner-payable/' || %(partner)s, 'partner-receivable/' || %(partner)s)
group by 1, 2 order by 1, 2

-- name: rows
-- the entries that touch the partner's accounts, by day and account; what they come to is what
-- changed on his accounts with its sign turned
select e.posted_date, l.account, sum(l.amount)::bigint, count(distinct e.id)
from entry e join entry_line l on l.entry = e.id
where e.entity = %(entity)s and e.posted_date >= %(first)s and e.posted_date < %(after)s
  and exists (select from entry_line p where p.entry = e.id
              and p.account in ('partner-payable/' || %(partner)s,
                                'partner-receivable/' || %(partner)s))
group by 1, 2 having sum(l.amount) <> 0 order by 1, 2
