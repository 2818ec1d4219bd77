-- Locks of a session.

-- name: take
select pg_try_advisory_lock(%b::bigint)

-- name: give_back
select pg_advisory_unlock(%b::bigint)
