-- Differences that a person gives a meaning.

-- name: payout
select p.id, p.account, p.payout, p.entity, p.currency, p.amount, p.version,
       (select count(*) from settlement_residual r where r.payout = p.id)
from payout p where p.key = %b

-- name: off
-- its total less its lines, less what was accepted of it
select p.tied, p.amount - coalesce((select sum(l.net) from settlement_line l
                                    where l.payout = p.id and l.type <> 'payout'
                                      and l.currency = p.currency), 0)
                 - coalesce((select sum(r.amount) from settlement_residual r
                             where r.payout = p.id and r.whole), 0)
from payout p where p.key = %b

-- name: differing_lines
select l.line from payout p
join settlement_match m on m.payout = p.id and m.difference <> 0
join settlement_line l on l.id = m.line
where p.key = %b and m.how in ('reference', 'intent', 'order') order by l.id

-- name: off_lines
select sum(case when m.how in ('open', 'unknown', 'currency') then l.gross
                when m.how <> 'accepted' then m.difference end)
from payout p
join settlement_line l on l.payout = p.id
join settlement_match m on m.line = l.id
where p.key = %b and l.line = any(%b::text[])

-- name: accept
insert into settlement_residual (payout, kind, amount, tender, whole, lines, fact, words, by, at)
values (%b, %b, %b, %b, %b, %b::text[], %b, %b, %b, %b)

-- name: accept_lines
-- by how much it differs stays written beside it
update settlement_match m set how = 'accepted'
from settlement_line l
where m.payout = %b and l.id = m.line and l.line = any(%b::text[])

-- name: due
update payout set due = true where id = %b
