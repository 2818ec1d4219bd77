-- What was told of supply numbers.

-- name: read
select supply, version, digest, supplier, location, due_at, ordered_at, closed, ended, reason,
       proposal
from purchase where supply = any(%b::text[])

-- name: save
insert into purchase (supply, version, digest, supplier, location, due_at, ordered_at, closed,
                      ended, reason, proposal)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[],
                     %b::timestamptz[], %b::bool[], %b::text[], %b::text[], %b::text[])
on conflict (supply) do update set
  version = excluded.version, digest = excluded.digest, supplier = excluded.supplier,
  location = excluded.location, due_at = excluded.due_at, ordered_at = excluded.ordered_at,
  closed = excluded.closed, ended = excluded.ended, reason = excluded.reason,
  proposal = excluded.proposal
