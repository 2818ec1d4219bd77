-- Rules of replenishment in force, one after the other.

-- name: in_force
select hash, text, activated_at, activated_by from replenishment_rules order by id desc limit 1

-- name: lock
-- of two who activate at once the second sees what the first did
select pg_advisory_xact_lock(58)

-- name: activate
insert into replenishment_rules (hash, text, activated_by) values (%b, %b, %b)
