-- Payouts that keep a month open.

-- name: unexplained
select p.key, p.payout, p.account, d.day::text, coalesce(c.amount, p.amount), p.currency,
       exists (select from settlement_line l where l.payout = p.id), c.id, coalesce(c.words, ''),
       coalesce(c.remedy, '')
from payout p
cross join lateral (
  select coalesce(p.paid_on, (p.heard_at at time zone 'UTC')::date) as day) d
left join exception_case c on c.key = p.key and c.state = 'open'
where p.entity = %(entity)s and d.day <= %(last)s::date
  and (p.due or not p.tied or c.id is not null)
order by d.day, p.key, c.id limit %(most)s
