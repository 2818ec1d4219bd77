-- What a person has paused: a connection (kind '') or one kind of document of it.

-- name: pause
insert into pause (connection, kind, since, paused_by, reason) values (%b, %b, %b, %b, %b)
on conflict (connection, kind) do nothing
returning connection

-- name: resume
delete from pause where connection = %b and kind = %b returning connection

-- name: lock_account
-- A claimer that is setting keys aside at this moment ends first; the next one sees no pause.
select from dest where dest = (select coalesce(account, dest) from dest where name = %b) for update

-- name: bring_back
update outkey o set due = %b, paused = null
from dest d where d.dest = o.dest and d.name = %b and o.paused = %b

-- name: notify
notify jobs

-- name: paused
select connection from pause where kind = ''

-- name: pauses
select p.connection, p.kind, p.since, p.paused_by, p.reason,
       (select coalesce(sum(o.n), 0)::bigint from dest d join outkey o using (dest)
        where d.name = p.connection and (p.kind = '' or o.paused = p.kind))
from pause p order by p.connection, p.kind
