-- What needs two persons; the database writes the audit of a change itself.

-- name: read
select second_person, alone_amount, alone_keys from hub

-- name: admins
select count(*) from operator where 'admin' = any(roles) and revoked_at is null

-- name: write
update hub set second_person = %b, alone_amount = %b, alone_keys = %b

-- name: acting
select set_config('tillbridge.operator', %b, true), set_config('tillbridge.reason', %b, true)
