-- Keys that wait for a posting window.

-- name: ask_anew
-- locked in their order, as enqueueing does
with stale as materialized (
  select dest, key from outkey
  where dest = %(dest)s and lease_until is null and opens is distinct from %(opens)s::timestamptz
    and opens is not null
  order by key for update
)
update outkey o set due = %(now)s, opens = null
from stale where (o.dest, o.key) = (stale.dest, stale.key)
