-- Cross-references and the vault.

-- name: generation
select names_generation from hub

-- name: raise_generation
update hub set names_generation = names_generation + 1

-- name: hold_names
select pg_advisory_xact_lock_shared(68)

-- name: lock_names
select pg_advisory_xact_lock(68)

-- name: all_names
select connection, kind, theirs, ours from xref

-- name: current
select x.connection, x.kind, x.theirs, x.ours from xref x
join unnest(%b::text[], %b::text[], %b::text[]) w (connection, kind, theirs)
  using (connection, kind, theirs)
order by 1, 2, 3

-- name: set_names
insert into xref (connection, kind, theirs, ours)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[])
on conflict (connection, kind, theirs) do update set ours = excluded.ours, changed_at = now()
where xref.ours <> excluded.ours
returning connection, kind, theirs, ours

-- name: save_parties
insert into party (party, connection, details)
select * from unnest(%b::text[], %b::text[], %b::bytea[])
on conflict (party) do update set details = excluded.details, updated_at = now()
where party.erased_at is null and party.details is distinct from excluded.details

-- name: waiting_cases
select c.id, c.details from exception_case c
where c.state = 'open' and c.room = 'mapping' and c.reason = 'mapping_missing'

-- name: make_ready
update parked_key set ready = true where case_id = any(%b::bigint[])
