-- The audit: one chain of what people did.

-- name: record
insert into audit (actor, action, subject, reason, before, after)
values (%b, %b, %b, %b, %b, %b) returning id

-- name: list
select id, at, actor, action, subject, reason, before, after from audit
where (%(actor)s = '' or actor = %(actor)s) and (%(action)s = '' or starts_with(action, %(action)s))
  and (%(since)s::timestamptz is null or at >= %(since)s)
order by id desc limit %(limit)s

-- name: chain
select id, at, actor, action, subject, reason, before, after, previous, hash from audit order by id

-- name: digest
select count(*), coalesce(min(id), 0), coalesce(max(id), 0),
  coalesce((select hash from audit where id = (select max(id) from audit
    where at >= %(from)s and at < %(until)s)), '')
from audit where at >= %(from)s and at < %(until)s
