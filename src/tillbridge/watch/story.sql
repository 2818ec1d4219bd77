-- One sale from the first delivery to the ERP.

-- name: find
select key from order_state where key = %(text)s or number = %(text)s or number = '#' || %(text)s
union select key from sale_state where key = %(text)s or receipt = %(text)s
union select key from record where key = %(text)s
union select order_key from receivable where number = %(text)s or erp_number = %(text)s
union select key from payout where payout = %(text)s
union select m.key from settlement_line l join settlement_match m on m.line = l.id
where l.account in (select distinct account from settlement_file) and l.line = %(text)s and m.key <> ''
union select p.key from bank_line l
join bank_match m on m.bank_line = l.id join payout p on p.id = m.payout
where l.statement in (select id from bank_statement) and l.line = %(text)s and l.line <> ''
limit 20

-- name: find_paper
-- by what stands on a paper or in a ledger: the ERP's number or move, our name of a document, an
-- entry's fact or id
select key from document where number = %(text)s or move = %(text)s
union select key from document where op = %(text)s
union select key from entry where fact = %(text)s
union select key from entry
      where id = case when %(text)s ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                 then %(text)s::uuid end
limit 20

-- name: order
select number, channel, status, currency, total, placed_at, revision from order_state
where key = %b

-- name: sale
select type, location, till, sequence, business_date, receipt, total, currency, voided
from sale_state where key = %b

-- name: records
select id, type, version, fused, cause, body, at from record where key = %b order by id

-- name: entries
select e.id, e.entity, e.fact, e.rule, e.rule_version, e.posted_date, e.currency, e.gl, l.account,
       l.amount, l.item
from entry e join entry_line l on l.entry = e.id
where e.key = %b
order by e.at,
  case e.fact_type when 'DepositReceived' then 0 when 'SaleReversed' then 2
                   when 'RefundPaid' then 3 else 1 end,
  e.fact, e.id, l.n

-- name: movements
select kind, location, product, quantity, occurred_at from stock_movement where key = %b
order by id

-- name: reservations
select line, location, product, quantity from reservation where key = %b order by line

-- name: documents
select t.name, d.op, d.kind, d.state, d.number, d.remote_id, d.total, d.move, d.move_total,
       d.answered_at
from document d join dest t using (dest)
where d.key = %(key)s or starts_with(d.key, 'tax/' || %(key)s || '/')
   or d.op in (select s.op from journal_summary s join entry e on e.id::text = s.entry
               where e.key = %(key)s)
order by d.day, d.op

-- name: summed
-- what a journal sums up: the entries behind each of its documents, the largest first
select d.number, s.op, e.key, e.fact, e.currency, b.amount, count(*) over (partition by s.op) as all
from document d
join journal_summary s on s.op = d.op
join entry e on e.id = s.entry::uuid
join lateral (select coalesce(sum(l.amount) filter (where l.amount > 0), 0)::bigint as amount
              from entry_line l where l.entry = e.id) b on true
where d.key = %(key)s and d.kind = 'journal'
order by s.op, b.amount desc, e.fact limit 40

-- name: invoices
select coalesce(nullif(erp_number, ''), number) as number, kind, currency, issued_on, due_on, total,
       credited, paid, open
from receivable where order_key = %b order by n

-- name: cases
select id, reason, state, words, remedy from exception_case
where key = %(key)s or starts_with(key, 'tax/' || %(key)s || '/') order by id

-- name: settlement
-- the provider's lines of an order, or of a payout, and where the bank shows their payout
with chosen as (
  select m.line from settlement_match m where m.key = %(key)s
  union
  (select l.id from settlement_line l join payout p on p.id = l.payout
   where p.key = %(key)s order by l.id limit 40))
select l.line, l.told, l.gross, l.fee, l.currency, l.n, f.name as file, p.key as payout, p.account,
       p.payout as number, p.paid_on, p.tied, coalesce(m.how, 'held') as how,
       coalesce(m.key, '') as of_key, coalesce(m.difference, 0) as difference,
       (select string_agg(b.account || ' ' || s.statement || ' on ' || b.booked_on, ', '
                          order by b.booked_on, b.id)
        from bank_match x join bank_line b on b.id = x.bank_line
        join bank_statement s on s.id = b.statement where x.payout = p.id) as bank
from chosen c
join settlement_line l on l.id = c.line
join settlement_file f on f.id = l.file
join payout p on p.id = l.payout
left join settlement_match m on m.line = l.id
order by l.id
