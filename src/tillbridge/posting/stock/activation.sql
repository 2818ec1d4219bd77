-- Availability rules in force, one after the other.

-- name: in_force
select hash, text, activated_at, activated_by from availability_rules order by id desc limit 1

-- name: lock
-- waits for transactions that go by the rules there are, and holds back those that come
select pg_advisory_xact_lock(80)

-- name: activate
insert into availability_rules (hash, text, activated_by) values (%b, %b, %b)

-- name: seen
select hash, case when hash = %(known)s::bytea then null else text end
from availability_rules order by id desc limit 1

-- name: held
select hash, text from availability_rules_held(%(known)s::bytea)
