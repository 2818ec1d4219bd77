-- What the desk asks beside stock rows and holds.

-- name: gate
-- lock 55: writers that want the same rows wait here, so that what comes meanwhile joins the group
select pg_advisory_xact_lock(55)

-- name: stocked
select distinct product from stock where product = any(%b::text[])
