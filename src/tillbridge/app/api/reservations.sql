-- Reservations made at the hub's own door.

-- name: reservation
-- one that is past its time has ended, swept or not
select h.kind, h.channel, h.expires_at,
       case when h.ended <> '' then h.ended
            when h.expires_at <= %b then 'expired'
            when h.kind = 'firm' then 'confirmed'
            else 'held' end,
       r.line, r.product, r.quantity, r.location
from hold h left join reservation r using (key)
where h.key = %b and h.desk
order by r.line, r.product, r.location
