-- Differences that a person gives a meaning.

-- name: payout
select p.id, p.account, p.payout, p.entity, p.currency, p.amount, p.version,
       (select count(*) from settlement_residual r where r.payout = p.id)
from payout p where p.key = %b

-- name: off
-- its total less its lines, less what was accepted of it; once it ties, what its lines differ by
select case when p.tied then coalesce((select sum(m.difference) from settlement_match m
                                       where m.payout = p.id), 0)
       else p.amount - coalesce((select sum(l.net) from settlement_line l
                                 where l.payout = p.id and l.type <> 'payout'
                                   and l.currency = p.currency), 0)
            - coalesce((select sum(r.amount) from settlement_residual r
                        where r.payout = p.id and r.whole), 0) end
from payout p where p.key = %b

-- name: off_lines
select sum(case when m.how in ('open', 'unknown', 'currency') then l.gross else m.difference end)
from payout p
join settlement_line l on l.payout = p.id
join settlement_match m on m.line = l.id
where p.key = %b and l.line = any(%b::text[])

-- name: accept
insert into settlement_residual (payout, kind, amount, tender, whole, lines, fact, words, by, at)
values (%b, %b, %b, %b, %b, %b::text[], %b, %b, %b, %b)

-- name: accept_lines
update settlement_match m set how = 'accepted', difference = 0
from settlement_line l
where m.payout = %b and l.id = m.line and l.line = any(%b::text[])

-- name: due
update payout set due = true where id = %b
