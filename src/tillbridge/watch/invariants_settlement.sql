-- Settlement: payouts, their lines and the bank's lines agree with each other and with the books.
-- The form of a block is told in invariants.py.

-- name: every_settlement_line_is_of_a_payout_and_a_file
-- says: Every settlement line belongs to a payout and to the file that told it.
-- do: The row was written past the hub: restore it from a backup.
-- owner: finance
select l.id, l.line, l.payout, l.file from settlement_line l
left join payout p on p.id = l.payout and p.account = l.account
left join settlement_file f on f.id = l.file and f.account = l.account
where p.id is null or f.id is null

-- name: payouts_that_tie_come_to_their_lines
-- says: What is called tied comes to the provider's own total, with what a person has accepted and what payouts before it brought forward.
-- do: Report a defect: it was booked although it does not tie.
-- owner: finance
select p.key, p.amount, x.net, x.accepted, p.brought
from payout p
cross join lateral (
  select coalesce((select sum(l.net) from settlement_line l
                   where l.payout = p.id and l.type <> 'payout'), 0) as net,
         coalesce((select sum(r.amount) from settlement_residual r
                   where r.payout = p.id and r.whole), 0) as accepted,
         exists (select from settlement_line l where l.payout = p.id) as listed) x
where p.tied and not p.due and p.amount is not null and (p.itemised or x.listed)
  and p.amount <> x.net + x.accepted + p.brought

-- name: every_line_of_a_tied_payout_is_explained
-- says: Every line of a payout that ties was matched, or says what it waits for, once.
-- do: Run `tillbridge reconcile run`; report a defect if it stays.
-- owner: finance
select l.id, l.line, p.key from settlement_line l join payout p on p.id = l.payout
where p.tied and not p.due and not exists (select from settlement_match m where m.line = l.id)
union all
select m.line, m.how, 'no such line' from settlement_match m
where not exists (select from settlement_line l where l.id = m.line and l.payout = m.payout)

-- name: settlement_lines_are_in_their_entries
-- says: The entry a settlement line names is in the books, and explains the line's payout.
-- do: Wait for the flow, look for a parked SettlementMatched; else report a defect.
-- owner: finance
-- at rest
select m.payout, m.entry from (
  select distinct payout, entry from settlement_match where entry is not null) m
join payout p on p.id = m.payout
left join entry e on e.id = m.entry and e.key = p.key
where e.id is null and p.version > 0 and p.booked <> '{}'

-- name: payouts_are_in_the_books_as_worked_out
-- says: What is in transit of each payout is what was sent of it less what the bank showed.
-- do: Wait for the flow, look for a parked SettlementMatched; else report a defect.
-- owner: finance
-- at rest
select p.key, x.wanted, y.booked
from payout p
cross join lateral (
  select coalesce(sum(b.value::bigint * case split_part(b.key, E'\x1f', 1)
           when 'paid' then 1 when 'returned' then 1 when 'banked' then -1 when 'bank_charge' then -1
           else 0 end), 0) as wanted
  from jsonb_each_text(p.booked) b) x
cross join lateral (
  select coalesce(sum(l.txn_amount), 0) as booked
  from entry_line l
  where l.item = 'payout/' || p.account || '/' || p.payout and l.account = 'payouts-in-transit'
    and l.txn_currency = p.currency) y
where x.wanted <> y.booked

-- name: no_bank_line_is_spent_twice
-- says: What is matched of a bank line never exceeds its amount.
-- do: Report a defect.
-- owner: finance
select l.id, l.line, l.amount, m.matched from bank_line l
join (select bank_line, sum(amount) as matched from (
        select bank_line, amount from bank_match
        union all select bank_line, amount from bank_payment) x group by bank_line) m
  on m.bank_line = l.id
where abs(m.matched) > abs(l.amount) or sign(m.matched) <> sign(l.amount)
