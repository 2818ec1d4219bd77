-- States of transfers, loaded and written as sets.

-- name: read
select key, body from transfer_state where key = any(%b::text[])

-- name: save
insert into transfer_state (key, revision, number, origin, destination, status, due_at,
                            hold_version, body)
select * from unnest(%b::text[], %b::int[], %b::text[], %b::text[], %b::text[], %b::text[],
                     %b::timestamptz[], %b::int[], %b::bytea[])
on conflict (key) do update set
  revision = excluded.revision, number = excluded.number, origin = excluded.origin,
  destination = excluded.destination, status = excluded.status, due_at = excluded.due_at,
  hold_version = excluded.hold_version, body = excluded.body
