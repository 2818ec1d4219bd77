-- Orders at work at bounded locations.

-- name: lock
select pg_advisory_xact_lock(hashtextextended('capacity/' || l, 0)) from unnest(%b::text[]) l

-- name: orders_at
select distinct r.location, r.key from reservation r join hold h using (key)
where r.location = any(%b::text[]) and h.kind = 'firm' and not h.desk
