-- Changes that one person proposes and another approves.


-- name: propose
insert into approval (action, subject, entity, change, change_hash, before, author, reason)
values (%(action)s, %(subject)s, %(entity)s, %(change)s, sha256(%(change)s), %(before)s, %(author)s,
        %(reason)s)
returning id

-- name: list
select id, action, subject, entity, author, reason, made_at, state, coalesce(approver, ''),
  decided_at, note, encode(change_hash, 'hex'), change, before
from approval
where (%(state)s = '' or state = %(state)s) and (%(id)s = 0 or id = %(id)s)
order by id limit 1000

-- name: lock
select state from approval where id = %b for update

-- name: decide
update approval set state = %b, approver = nullif(%b, ''), approver_key = nullif(%b, ''), note = %b
where id = %b

-- name: for_this
select set_config('tillbridge.approval', %b, true)

