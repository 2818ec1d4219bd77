-- Cases, parked keys, names, the hub itself. A new table's invariants come at the end.
-- The form of a block is told in invariants.py.

-- name: parked_keys_have_records_and_an_open_case
-- says: Whatever is held back has records waiting and an open case that says why.
-- do: Report a defect; `tillbridge cases replay` of the key's room tries it again.
-- (a key that is ready is on its way: its case may have been closed by hand)
select k.room, k.key, k.case_id from parked_key k
left join exception_case c on c.id = k.case_id and c.state = 'open'
left join (select distinct room, key from parked) p on p.room = k.room and p.key = k.key
where (c.id is null and not k.ready) or p.key is null

-- name: nothing_is_parked_and_pending
-- says: A record that waits behind a case is not also still to be carried.
-- do: It would be carried twice: stop the workers, report a defect.
select p.room, p.key, p.id from parked p
join seen_record r on r.id = p.id where not r.carried

-- name: nothing_is_parked_and_carried
-- says: A message that waits to be translated has not been translated already.
-- do: Report a defect; replaying it would tell its facts again.
select distinct p.room, p.key, p.id from parked p
join seen_record r on r.cause = p.id
where p.room = 'mapping' and p.type = 'Received'

-- name: every_case_says_whose_it_is
-- says: Every case has an owner, a reason and words; a closed one says when and by whom.
-- do: The row was changed past the hub: give it back its owner.
select id, reason, owner, state, resolved_at from exception_case
where owner = '' or reason = '' or words = '' or copies < 1
   or (state = 'resolved') <> (resolved_at is not null)
   or (state = 'resolved' and coalesce(resolved_by, '') = '')

-- name: every_refusal_has_an_open_case
-- says: For every document the ERP refused somebody has been told.
-- do: Report a defect; look at the document's story and send it again.
select d.dest, d.op, d.kind from document d
left join exception_case c on c.state = 'open' and c.reason in
  ('document_refused', 'reread_refused', 'tax_recalculation_failed', 'tax_calculation_failed',
   'tax_document_refused')
  and c.details ->> 'operation' = d.op
where d.state = 'refused' and c.id is null

-- name: every_name_leads_somewhere
-- says: No cross-reference is empty on either side.
-- do: `tillbridge xref set` the name again.
select connection, kind, theirs, ours from xref where theirs = '' or ours = ''

-- name: erased_persons_hold_nothing
-- says: Of a person who was erased nothing is kept but the number.
-- do: Erase again at once; find out what wrote the details back.
select party, connection, erased_at from party where erased_at is not null and details is not null

-- name: finished_files_say_when
-- says: Every file taken says when it was done, and an unfinished one does not.
-- do: The row was changed past the hub: ingest the file again, it adds nothing twice.
select connection, path, state, done_at from file_claim where (state = 'done') <> (done_at is not null)

-- name: the_hub_knows_itself
-- says: The database is one hub's, with the lane function this program uses.
-- do: Do not start anything: this database belongs to another release or was mixed up.
select count(*), min(lane_fn), max(incarnation) from hub
having count(*) <> 1 or min(lane_fn) <> 'crc32/64' or min(incarnation) < 1

-- name: the_guards_stand
-- says: The triggers and unique keys that refuse wrong rows are there and switched on.
-- do: Put back what is named; then look at everything written since it was gone.
select g.kind, g.name from (values
  ('trigger', 'entry_line_balanced'), ('trigger', 'entry_in_open_period'),
  ('trigger', 'entry_final'), ('trigger', 'entry_line_final'), ('trigger', 'posting_rule_final'),
  ('trigger', 'audit_linked'), ('trigger', 'audit_final'), ('trigger', 'approval_guarded'),
  ('trigger', 'approval_kept'), ('trigger', 'xref_altered'), ('trigger', 'xref_removed'),
  ('trigger', 'period_unlocked'), ('trigger', 'operator_granted'), ('trigger', 'operator_kept'),
  ('trigger', 'hub_second_person'), ('trigger', 'exception_case_given_up'),
  ('trigger', 'rule_book_activated'), ('trigger', 'rule_book_final'),
  ('trigger', 'availability_rules_activated'), ('trigger', 'availability_rules_final'),
  ('trigger', 'settlement_line_final'), ('trigger', 'bank_line_final'),
  ('trigger', 'item_written_off_approved'), ('trigger', 'item_written_off_final'),
  ('trigger', 'settlement_residual_accepted'), ('trigger', 'settlement_residual_final'),
  ('trigger', 'replenishment_rules_activated'), ('trigger', 'replenishment_rules_final')
) g (kind, name)
left join pg_trigger t on t.tgname = g.name and t.tgenabled in ('O', 'A')
where t.oid is null
union all
select 'unique', g.name from (values
  ('delivery_pkey'), ('record_pkey'), ('message_pkey'), ('document_pkey'), ('entry_pkey'),
  ('entry_fact_entity_key'), ('entry_line_pkey'), ('stock_movement_fact_n_key'), ('stock_pkey'),
  ('hold_pkey'), ('reservation_pkey'), ('order_state_pkey'), ('sale_state_pkey'),
  ('journal_pending_pkey'), ('journal_summary_pkey'), ('sale_void_pkey'), ('file_claim_pkey'),
  ('cursor_pkey'), ('parked_key_pkey'), ('exception_case_open'), ('audit_pkey')
) g (name)
left join pg_index i on i.indexrelid = to_regclass(g.name) and i.indisvalid and i.indisunique
where i.indexrelid is null

-- name: the_audit_is_one_chain
-- says: What people did is written down without a gap, and nothing of it was changed afterwards.
-- do: Somebody wrote into the audit past the hub: compare with the digests kept outside.
select a.id, a.actor, a.action from (
  select audit as link, id, actor, action, previous, hash,
    lag(id, 1, 0::bigint) over (order by id) as id_before,
    lag(hash, 1, sha256('')) over (order by id) as hash_before
  from audit
) a
where a.id <> a.id_before + 1 or a.previous <> a.hash_before or a.hash <> audit_hash(a.link)

-- name: till_gaps_are_as_large_as_they_say
-- says: A gap in a till's numbers is as large as the numbers it names, and filled after noticed.
-- do: Report a defect; the numbers missing of a store cannot be trusted.
select source, location, till, business_date, first, last, missing from till_gap
-- first > last: over the end of a sequence that begins again
where (first <= last and missing <> last - first + 1) or filled_at < noticed_at

-- name: plans_add_up
-- says: Every plan of cases has all its cases, and an ended one tries none any more.
-- do: The rows were changed past the hub: cancel the plan and make a new one.
select p.id, p.state, p.matched, count(m.plan) from replay_plan p
left join replay_member m on m.plan = p.id
group by p.id
having count(m.plan) <> p.matched
   or (p.state in ('done', 'cancelled')) <> (p.ended_at is not null)
   or (p.state in ('done', 'cancelled') and count(*) filter (where m.state = 'waiting') > 0)
   or (p.state = 'done' and count(*) filter (where m.state = 'ready') > 0)

-- name: erased_bodies_are_blank
-- says: A body that was erased is blank, and no other body is.
-- do: Somebody wrote evidence back or took it away past the hub: erase again, or compare with a backup.
select m.id, m.delivery, e.erasure from message m left join erased_message e on e.message = m.id
where (m.body = '\x00657261736564'::bytea) <> (e.message is not null)

-- name: every_applied_change_has_two_persons
-- says: Who proposed a change that takes two persons and who approved it are two, and the audit says so.
-- do: Somebody wrote past the hub: undo the change, find out who, look at what was done since.
select a.id, a.action, a.author, a.approver from approval a
where a.state = 'applied'
  and (a.approver is null or a.approver = a.author or sha256(a.change) <> a.change_hash
       or not exists (select from audit p where p.action = 'approvals.propose' and p.subject = a.id::text
                      and p.actor = a.author and p.after like '%' || encode(a.change_hash, 'hex') || '%')
       or not exists (select from audit d where d.action = 'approvals.applied' and d.subject = a.id::text
                      and d.actor = a.approver))
