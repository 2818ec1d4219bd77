-- Cases that say what is found at present: opened, kept up to date and closed as a set.

-- name: standing
select id, key, state, words, details->>'finding', resolved_by
from exception_case
where room = %b and reason = %b
  and (state = 'open' or (key = any(%b::text[]) and resolved_by <> %b))
order by id

-- name: reword
update exception_case c set words = w, details = d::jsonb, amount = a, currency = k
from unnest(%b::bigint[], %b::text[], %b::text[], %b::bigint[], %b::text[]) x (i, w, d, a, k)
where c.id = i and c.state = 'open'

-- name: close
update exception_case
set state = 'resolved', resolved_at = %b, resolved_by = %b, resolution = %b
where id = any(%b::bigint[]) and state = 'open'
