-- Files taken in: one claim per content and connection.

-- name: lock_file
select pg_try_advisory_lock(%b::bigint)

-- name: unlock_file
select pg_advisory_unlock(%b::bigint)

-- name: claim_file
insert into file_claim (connection, path, size, sha256, state)
values (%b::text, %b::text, %b::bigint, %b::bytea, 'claimed')
on conflict (connection, sha256) do nothing

-- name: claimed_file
select state = 'done' and not masked from file_claim where connection = %b::text and sha256 = %b::bytea

-- name: finish_file
update file_claim set state = 'done', items = %b::int, problems = %b::int, masked = %b::boolean,
  stream = %b::text, counted = %b::bigint, stated = %b::bigint, currency = %b::text,
  stated_sum = %b::bigint, counted_sum = %b::bigint, totals_words = %b::text,
  totals_refused = %b::boolean, done_at = %b::timestamptz
where connection = %b::text and sha256 = %b::bytea
