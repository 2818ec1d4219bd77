-- What of the books of a month has to stand in the ERP's ledger, and through which document.

-- name: balances
-- what reaches the ERP by a journal or by a document it books itself; what the workspace says it is
-- not told of (gl = hub) stands in the money book alone
select l.account,
  coalesce(sum(l.amount) filter (where e.gl <> 'hub'), 0)::bigint,
  coalesce(sum(l.amount) filter (where e.gl = 'hub'), 0)::bigint
from entry e join entry_line l on l.entry = e.id
where e.entity = %(entity)s and e.posted_date >= %(first)s::date and e.posted_date <= %(last)s::date
group by l.account

-- name: journals
-- entries by the journal that took them, per account; '' = none yet
select coalesce(s.op, ''), l.account, sum(l.amount)::bigint, min(e.key)
from entry e
join entry_line l on l.entry = e.id
left join journal_summary s on s.entry = e.id::text
where e.entity = %(entity)s and e.posted_date >= %(first)s::date and e.posted_date <= %(last)s::date
  and e.gl = 'journals'
group by 1, 2

-- name: papers
-- documents the ERP books by itself, with their own day: of the month, whatever became of them
select d.op, d.key, d.kind, d.state, coalesce(d.move_total, d.total, 0)
from document d
join record r on r.key = d.key and r.type = 'SubmitDocument'
cross join lateral (select convert_from(r.body, 'UTF8')::json as body) b
where d.kind in ('invoice', 'credit_note')
  and d.key in (select key from entry where entity = %(entity)s and gl = 'documents')
  and b.body ->> 'id' = d.op and b.body ->> 'entity' = %(entity)s
  and coalesce(b.body -> d.kind ->> 'invoice_date', '') between %(first)s and %(last)s

-- name: states
select op, state, key from document where op = any(%b::text[])

-- name: behind
-- the entries behind a document: those its journal took, else those of its order
select d.op, d.kind, d.state, coalesce(d.number, ''), e.id::text, e.fact, e.key, e.posted_date,
  e.entity, e.currency, l.account, l.amount, l.item
from document d
left join lateral (
  select e.* from journal_summary s join entry e on e.id::text = s.entry where s.op = d.op
  union all
  select e.* from entry e where d.kind in ('invoice', 'credit_note') and e.key = d.key
    and e.gl = 'documents' and e.fact_type = case d.kind when 'invoice' then 'SaleRecognised'
                                             else 'SaleReversed' end
) e on true
left join entry_line l on l.entry = e.id
where d.op = %(asked)s or d.number = %(asked)s or d.remote_id = %(asked)s or d.move = %(asked)s
order by d.op, e.posted_date, e.id, l.n
