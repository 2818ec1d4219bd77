-- Tax documents as people look at them.

-- name: list
select t.key, t.order_key, coalesce(o.number, ''), coalesce(o.channel, ''), t.subject, t.direction,
       t.state, t.service, t.entity, t.currency, t.amount, t.tax, t.words, c.id, c.opened_at
from tax_document t
left join order_state o on o.key = t.order_key
left join lateral (select min(id) as id, min(opened_at) as opened_at from exception_case
                   where key = t.key and state = 'open') c on true
where (%(state)s = '' or t.state = any(string_to_array(%(state)s, ',')))
  and (not %(returns)s or t.direction = 'return')
  and (%(everywhere)s or t.entity = any(%(entities)s))
order by t.order_key, t.key limit %(limit)s

-- name: counts
select t.state, count(*) from tax_document t group by t.state order by t.state
