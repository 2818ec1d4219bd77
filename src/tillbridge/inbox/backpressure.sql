-- Whether what the hub fetches by itself waits for the flow; the state is the hub's, not a process's.

-- name: judge
-- Counted up to one beyond the limit, so that a long backlog costs no more than that.
with n as (
  select count(*) as c from (
    select from cursor c join record r on r.lane = c.lane and r.id > c.pos and not r.fused
    where c.consumer = %(consumer)s limit %(most)s + 1) x
)
update hub
set held_back_since = case when n.c > %(most)s then %(now)s::timestamptz end
from n
where (n.c > %(most)s and held_back_since is null)
   or (n.c <= %(most)s / 2 and held_back_since is not null)

-- name: held_back
select held_back_since is not null from hub
