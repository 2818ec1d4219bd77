-- Checkpoints as the database knows them; after a restore it knows none that was taken later.

-- name: note
insert into checkpoint (position, taken_at, state_hash, folder, bytes) values (%b, %b, %b, %b, %b)
on conflict (position) do update set taken_at = excluded.taken_at,
  state_hash = excluded.state_hash, folder = excluded.folder, bytes = excluded.bytes

-- name: list
select position, taken_at, state_hash, folder, bytes from checkpoint order by position desc

-- name: forget
delete from checkpoint where position not in (
  select position from checkpoint order by position desc limit %b)
returning folder

-- name: identities
select table_name::text, column_name::text from information_schema.columns
where table_name = any(%b::text[]) and is_identity = 'YES'
