-- Rule books in force, one after the other.

-- name: in_force
select hash, files, activated_at, activated_by from rule_book order by id desc limit 1

-- name: lock
select pg_advisory_xact_lock(74)

-- name: activate
insert into rule_book (hash, files, activated_by) values (%b, %b, %b)
