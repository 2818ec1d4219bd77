-- Money movements out of the log.

-- name: position
select record from movements_read for update

-- name: newest
select max(id) from record

-- name: told
select type, version, body from record
where id > %b and id <= %b and type = any(%b::text[]) order by id

-- name: disputed
select reference, tender, intent, -amount, currency from money_movement
where kind = 'chargeback' and reference = any(%b::text[])

-- name: write
-- a movement told again, by this road or another, is the one that is there
insert into money_movement (kind, tender, reference, intent, key, amount, fee, currency, at)
select * from unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[],
                     %b::bigint[], %b::text[], %b::timestamptz[])
on conflict (reference, kind, tender) do nothing

-- name: move_on
update movements_read set record = %b
