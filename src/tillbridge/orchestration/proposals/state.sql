-- States of proposals, loaded and written as sets.

-- name: read
select key, body from proposal_state where key = any(%b::text[])

-- name: save
insert into proposal_state (key, revision, number, kind, source, location, status, proposed_at,
                            due_at, remote, body)
select * from unnest(%b::text[], %b::int[], %b::text[], %b::text[], %b::text[], %b::text[],
                     %b::text[], %b::timestamptz[], %b::timestamptz[], %b::text[], %b::bytea[])
on conflict (key) do update set
  revision = excluded.revision, number = excluded.number, kind = excluded.kind,
  source = excluded.source, location = excluded.location, status = excluded.status,
  proposed_at = excluded.proposed_at, due_at = excluded.due_at, remote = excluded.remote,
  body = excluded.body
