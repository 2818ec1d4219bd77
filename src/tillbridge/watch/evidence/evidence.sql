-- What an evidence file of a month holds. Read in one snapshot.

-- name: books
-- in force before the month's end, the newest first of those before it began
select encode(hash, 'hex'), activated_at, activated_by, files from rule_book order by id

-- name: rules
select encode(r.hash, 'hex'), r.name, r.version, r.meaning from posting_rule r
where r.hash in (
  select distinct substring(e.rule_hash from n * 16 + 1 for 16)
  from (select distinct rule_hash from entry
        where entity = %(entity)s and posted_date >= %(first)s::date
          and posted_date <= %(last)s::date) e
  cross join lateral generate_series(0, length(e.rule_hash) / 16 - 1) n)
order by r.hash

-- name: acts
-- from the month's first day to now: also what was decided on it afterwards
select id, at, actor, action, subject, reason, before, after, encode(previous, 'hex'),
  encode(hash, 'hex')
from audit where at >= %(first)s::date order by id

-- name: approvals
select id, action, subject, state, author, coalesce(approver, ''), reason, note, made_at, decided_at,
  change, encode(change_hash, 'hex')
from approval
where (entity in ('', %(entity)s)) and coalesce(decided_at, made_at) >= %(first)s::date
order by id

-- name: balances
select l.account, sum(l.amount)::bigint
from entry e join entry_line l on l.entry = e.id
where e.entity = %(entity)s and e.posted_date <= %(through)s::date
group by l.account having sum(l.amount) <> 0 order by l.account collate "C"

-- name: entries
select e.id::text, e.fact, e.fact_type, encode(e.fact_hash, 'hex'), e.key, e.rule, e.rule_version,
  encode(e.rule_hash, 'hex'), e.business_date, e.posted_date, e.currency, e.flow, e.channel,
  e.location, e.gl, coalesce(e.reverses::text, ''), coalesce(s.op, ''), e.at, e.lines,
  (select json_agg(json_build_array(l.n, l.account, l.amount, l.txn_amount, l.txn_currency, l.item)
                   order by l.n) from entry_line l where l.entry = e.id)::text,
  f.versions, f.bodies
from entry e
left join journal_summary s on s.entry = e.id::text
left join lateral (
  select array_agg(r.version order by r.id) as versions, array_agg(r.body order by r.id) as bodies
  from record r
  where r.key = e.key and r.type = e.fact_type
    and convert_from(r.body, 'UTF8')::json ->> 'id' = e.fact
) f on true
where e.entity = %(entity)s and e.posted_date >= %(first)s::date and e.posted_date <= %(last)s::date
order by e.posted_date, e.id

-- name: documents
select t.name, d.op, d.key, d.kind, d.state, coalesce(d.number, ''), coalesce(d.remote_id, ''),
  coalesce(d.move, ''), d.move_total, d.total
from document d join dest t using (dest)
where d.kind <> 'reread' and (
  d.key in (select key from entry where entity = %(entity)s
            and posted_date >= %(first)s::date and posted_date <= %(last)s::date)
  or d.op in (select s.op from entry e join journal_summary s on s.entry = e.id::text
              where e.entity = %(entity)s
                and e.posted_date >= %(first)s::date and e.posted_date <= %(last)s::date))
order by t.name collate "C", d.op collate "C"
