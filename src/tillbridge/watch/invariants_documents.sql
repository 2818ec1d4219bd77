-- What is owed to other systems, what they answered, and who is at work on it.
-- The form of a block is told in invariants.py.

-- name: outbound_counts_match_jobs
-- says: Every key with work for another system knows how much work that is.
-- do: Report a defect; the documents of the key would stand still or be asked for in vain.
select coalesce(o.dest, j.dest), coalesce(o.key, j.key), o.n, j.count from outkey o
full join (select dest, key, count(*) from job group by dest, key) j using (dest, key)
where o.n is distinct from j.count

-- name: owed_documents_have_a_job
-- says: Every document still owed is on its way.
-- do: Report a defect; nobody would ever send it.
select d.dest, d.op, d.state from document d
left join job j on j.dest = d.dest and j.op = d.op
where d.state in ('owed', 'sent', 'unknown', 'refused') and j.id is null

-- name: answered_documents_have_no_job
-- says: What was accepted or given up is not sent again.
-- do: Pause the destination and report a defect, before it is sent twice.
select d.dest, d.op, d.state from document d
join job j on j.dest = d.dest and j.op = d.op
where d.state in ('accepted', 'dropped')

-- name: every_job_has_its_document
-- says: Nothing is sent that is not kept as a document.
-- do: Pause the destination and report a defect.
select j.dest, j.op, j.key from job j
left join document d on d.dest = j.dest and d.op = j.op where d.op is null

-- name: one_job_per_document
-- says: No document is queued twice.
-- do: Pause the destination and report a defect, before it is sent twice.
select dest, op, count(*) from job group by dest, op having count(*) > 1

-- name: everything_owed_has_a_destination
-- says: Every document, key and job is for a destination the hub knows.
-- do: The table `dest` lost a row: restore it from a backup.
select x.what, x.dest, count(*) from (
  select 'document' as what, dest from document
  union all select 'key', dest from outkey
  union all select 'job', dest from job) x
left join dest d on d.dest = x.dest
where d.dest is null group by x.what, x.dest

-- name: accepted_documents_have_a_remote_id
-- says: For every document the ERP accepted we have the ERP's own id.
-- do: Look it up in the ERP by our operation id; report a defect.
select dest, op from document where state = 'accepted' and coalesce(remote_id, '') = ''

-- name: every_answer_has_its_time
-- says: For every answer we know when it came.
-- do: The row was changed past the hub: compare with a backup.
select dest, op, state from document where state in ('accepted', 'refused') and answered_at is null

-- name: one_remote_document_per_operation
-- says: No two documents of ours are one and the same in the ERP.
-- do: One of them is missing over there: compare both in the ERP.
-- owner: finance
select dest, kind, remote_id, count(*) from document
where state = 'accepted' and kind <> 'reread'
group by dest, kind, remote_id having count(*) > 1

-- name: ledger_moves_agree_with_documents
-- says: What the ERP booked for a document is the document's total.
-- do: Compare tax and rounding set-up of the ERP; correct the move there.
-- owner: finance
select dest, op, total, move_total from document
where state = 'accepted' and move_total is not null and total is not null and total <> move_total

-- name: every_document_was_asked_for
-- says: Behind every document there is a decision in the log.
-- do: Somebody queued it past the hub: find out who; cancel it in the ERP.
select d.dest, d.op, d.kind from document d
left join (select distinct fact from seen_record
           where type in ('SubmitDocument', 'RereadObject')) r on r.fact = d.op
where d.kind <> 'journal' and r.fact is null and to_regclass('record_0') is not null

-- name: every_document_asked_for_is_owed
-- says: Every document the hub decided on is kept, or waits behind a case.
-- do: Look for a case of its key; none: report a defect, the ERP will lack it.
select r.id, r.key, r.fact from seen_record r
left join (select distinct op from document) d on d.op = r.fact
left join seen_held h on h.key = r.key and h.room in ('publishing', 'reading')
where (r.type in ('SubmitDocument', 'RereadObject')
       or (r.type = 'JournalSummed' and r.fact not like '%/nil'))
  and r.carried and d.op is null and h.key is null

-- name: documents_carry_the_total_that_was_decided
-- says: The total kept for a document is the one that was decided.
-- do: The row was changed past the hub: the log is the truth, report a defect.
-- owner: finance
select d.dest, d.op, d.total, r.amount from document d
join (select distinct on (fact) fact, amount from seen_record
      where type = 'SubmitDocument' order by fact, id) r on r.fact = d.op
where d.total is distinct from r.amount

-- name: documents_of_a_key_were_answered_in_order
-- says: The ERP took the documents of an order in the order they were decided.
-- do: Look at both documents in the ERP; report a defect.
select x.dest, x.key, x.op, x.before from (
  select d.dest, d.key, d.op, d.state, lag(d.op) over w as before, a.id as answer,
         max(a.id) over (w rows between unbounded preceding and 1 preceding) as answered,
         bool_or(d.state in ('owed', 'sent', 'unknown', 'refused'))
           over (w rows between unbounded preceding and 1 preceding) as open
  from document d
  join (select fact, min(id) as id from seen_record where type = 'SubmitDocument' group by fact) s
    on s.fact = d.op
  left join (select fact, max(id) as id from seen_record
             where type = 'DocumentAccepted' group by fact) a on a.fact = d.op || '/accepted'
  where d.state <> 'dropped'
  window w as (partition by d.dest, d.key order by s.id)) x
where (x.state = 'accepted' and x.open) or x.answer < x.answered

-- name: leases_are_whole
-- says: Whoever works on a key has a lease with an end and a fencing number of its own.
-- do: Report a defect; two workers may send the same document.
select dest, key, token, lease_until from outkey
where (lease_until is null) <> (token is null)
   or token in (select token from outkey where token is not null
                group by token having count(*) > 1)

-- name: calls_stay_within_the_account
-- says: No more calls are under way to an account than it bears.
-- do: Was `conc` lowered a moment ago? Else report a defect.
select a.name, a.conc, count(*) from slot s join dest a on a.dest = s.account
group by a.name, a.conc having count(*) > a.conc

-- name: set_aside_means_paused
-- says: A key waits for a paused kind only while that kind is paused.
-- do: `tillbridge pause` and `resume` the kind once more; report a defect.
select d.name, o.key, o.paused from outkey o join dest d using (dest)
where o.paused is not null
  and (o.due <> 'infinity'
       or not exists (select from pause p where p.connection = d.name and p.kind = o.paused))
