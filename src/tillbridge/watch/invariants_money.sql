-- The money book and the journals it owes.
-- The form of a block is told in invariants.py.

-- name: every_entry_balances
-- says: The lines of every entry sum to zero and are as many as were written.
-- do: The book was changed past its triggers: compare with a backup; do not close the month.
-- owner: finance
select e.id, e.fact, coalesce(l.total, 0), coalesce(l.lines, 0), e.lines
from entry e
left join (select entry, sum(amount) as total, count(*) as lines from entry_line group by entry) l
  on l.entry = e.id
where coalesce(l.total, 0) <> 0 or coalesce(l.lines, 0) <> e.lines

-- name: no_entry_line_without_entry
-- says: Every line in the money book belongs to an entry.
-- do: An entry was deleted past its triggers: restore it from a backup.
-- owner: finance
select l.entry, l.n from entry_line l left join entry e on e.id = l.entry where e.id is null

-- name: one_entry_per_fact_and_entity
-- says: Nothing is booked twice: one entry per fact and legal entity.
-- do: The guard of the table is gone: put its constraint back, reverse the second entry.
-- owner: finance
select fact, entity, count(*) from entry group by fact, entity having count(*) > 1

-- name: one_content_per_booked_fact
-- says: All entries of a fact were made from the same content of it.
-- do: Find out which telling is true and correct the other entity by a new fact.
-- owner: finance
select fact, count(distinct fact_hash) from entry
group by fact having count(*) > 1 and count(distinct fact_hash) > 1

-- name: no_entry_line_says_nothing
-- says: No line of an entry is zero, and every amount has a currency.
-- do: Report a defect; the sums are not touched by it.
-- owner: finance
select l.entry, l.n, l.account, l.txn_currency from entry_line l join entry e on e.id = l.entry
where (l.amount = 0 and l.txn_amount = 0)
   or l.txn_currency !~ '^[A-Z]{3}$' or e.currency !~ '^[A-Z]{3}$'

-- name: amounts_in_the_own_currency_agree
-- says: Where a line is in the entity's own currency, both its amounts are the same.
-- do: Report a defect; reverse the entry and have the fact told anew.
-- owner: finance
select l.entry, l.n, l.amount, l.txn_amount from entry_line l join entry e on e.id = l.entry
where l.txn_currency = e.currency and l.amount <> l.txn_amount

-- name: every_entry_names_rules_that_are_kept
-- says: The text of every posting rule that made an entry is kept.
-- do: The table `posting_rule` lost rows: restore them; an auditor will ask for them.
-- owner: finance
select x.rule_hash, x.entries from (
  select rule_hash, count(*) as entries from entry group by rule_hash) x
where length(x.rule_hash) % 16 <> 0
   or exists (select 1 from generate_series(0, length(x.rule_hash) / 16 - 1) n
              where not exists (select 1 from posting_rule r
                                where r.hash = substring(x.rule_hash from n * 16 + 1 for 16)))

-- name: every_reversal_undoes_one_entry
-- says: A reversal takes back one entry exactly, and no entry is taken back twice.
-- do: Report a defect; correct the difference by a new fact.
-- owner: finance
select e.id, e.reverses, 'takes back what is not there' from entry e
left join entry o on o.id = e.reverses where e.reverses is not null and o.id is null
union all
select min(e.id::text)::uuid, e.reverses, 'taken back twice' from entry e
where e.reverses is not null group by e.reverses having count(*) > 1
union all
select x.id, x.reverses, 'is not the mirror of it' from (
  select e.id, e.reverses, l.account, l.item, l.txn_currency from entry e
  join entry_line l on l.entry in (e.id, e.reverses)
  where e.reverses is not null
  group by e.id, e.reverses, l.account, l.item, l.txn_currency
  having sum(l.amount) <> 0 or sum(l.txn_amount) <> 0) x

-- name: nothing_was_posted_in_a_locked_month
-- says: No entry was written into a month after finance had locked it.
-- do: Somebody switched the guard off: open the month, look at the entries, lock it again.
-- owner: finance
-- (a minute of grace: machines' clocks differ, the lock itself does not)
select e.id, e.entity, e.posted_date, e.at, p.changed_at from entry e
join period p on p.entity = e.entity and p.period = to_char(e.posted_date, 'YYYY-MM')
where p.state = 'locked' and e.at > p.changed_at + interval '1 minute'

-- name: what_a_closing_month_took_was_admitted
-- says: After a month was soft-closed, only keys that a person admitted were posted in it.
-- do: Somebody switched the guard off: look at the entries, admit their keys or reverse them.
-- owner: finance
select e.id, e.entity, e.key, e.posted_date, e.at from entry e
join period p on p.entity = e.entity and p.period = to_char(e.posted_date, 'YYYY-MM')
left join period_admission m on m.entity = p.entity and m.period = p.period and m.key = e.key
where p.state = 'soft-closed' and e.at > p.changed_at + interval '1 minute' and m.key is null

-- name: posted_days_follow_business_days
-- says: An entry stands on its business day, or on the first day of a later month.
-- do: Report a defect; the month it stands in is wrong.
-- owner: finance
select id, fact, business_date, posted_date from entry
where posted_date < business_date
   or (posted_date <> business_date
       and (extract(day from posted_date) <> 1
            or date_trunc('month', posted_date) = date_trunc('month', business_date)))

-- name: every_void_did_what_it_says
-- says: A void that counts as booked has taken its sale back; one that waits has no sale yet.
-- do: Report a defect; book the difference back by hand until it is mended.
-- owner: finance
select v.voided, v.fact, v.posted from sale_void v
where v.posted <> exists (select 1 from entry e where e.key = v.voided and e.reverses is not null)
  and exists (select 1 from entry e where e.key = v.voided and e.fact_type = 'SaleRung')

-- name: every_voided_sale_is_taken_back
-- says: A till sale that was voided is booked back, or its void waits for a decision.
-- do: Look for its case with `tillbridge cases list`; none: report a defect.
-- owner: finance
select s.key, e.id from sale_state s
join entry e on e.key = s.key and e.fact_type = 'SaleRung'
left join entry r on r.reverses = e.id
left join seen_held h on h.key = s.key
where s.voided and r.id is null and h.key is null
  and not exists (select 1 from seen_record p where p.key = s.key and not p.carried)

-- name: till_sales_are_booked_or_parked
-- says: Every till sale with money in it is in the book or waits behind a case.
-- do: Report a defect; `tillbridge story` of the receipt shows where it stopped.
-- owner: finance
select s.key from sale_state s
where s.type = 'SaleRung' and s.fact_hash is not null and s.total <> 0
  and not exists (select 1 from entry e where e.key = s.key)
  and not exists (select 1 from exception_case c where c.key = s.key)

-- name: every_valued_fact_is_booked
-- says: Whatever has a value and went through the flow stands in the money book.
-- do: Look for a case of its key; none: report a defect, the book lacks this amount.
-- owner: finance
select r.id, r.key, r.type, r.amount from seen_record r
left join entry e on e.fact = r.fact
left join seen_held h on h.key = r.key and h.room in ('posting.money', 'reading')
where r.type in ('DepositReceived', 'SaleRecognised', 'SaleReversed', 'RefundPaid', 'DisputeMoved',
                 'GiftCardIssued', 'GiftCardAdjusted', 'GiftCardExpired', 'StoreCreditIssued',
                 'StoreCreditAdjusted', 'StoreCreditExpired', 'CostMoved',
                 'BreakageRecognised', 'OpenItemWrittenOff', 'ReturnsExpected')
  and r.carried and r.amount <> 0 and e.id is null and h.key is null

-- name: the_returns_reserve_is_what_was_told
-- says: What is kept as expected back of sales is what the money book was told of it.
-- do: Report a defect; the refund liability is wrong by the difference.
-- owner: finance
select x.told, x.kept from (
  select (select coalesce(sum(amount), 0) from seen_record where type = 'ReturnsExpected') as told,
         (select coalesce(sum(refund), 0) from returns_reserve) as kept) x
where x.told <> x.kept

-- name: breakage_is_what_was_told
-- says: What is kept as never spent of gift cards is what the money book was told of it.
-- do: Report a defect; the allowance against the liability is wrong by the difference.
-- owner: finance
select x.told, x.kept from (
  select (select coalesce(sum(amount), 0) from seen_record where type = 'BreakageRecognised') as told,
         (select coalesce(sum(income + escheat), 0) from card_breakage) as kept) x
where x.told <> x.kept

-- name: cards_add_up_to_their_liability
-- says: What stands on gift cards and credit is their liability, per entity and currency.
-- do: An amount of the liability is on no card: see who booked it; correct it by a new fact.
-- owner: finance
-- (an item that is empty waits for its card to be named)
select e.entity, e.currency, l.account, -sum(l.amount) as liability,
       -coalesce(sum(l.amount) filter (where l.item = '' or starts_with(l.item, 'card/')), 0)
from entry_line l join entry e on e.id = l.entry
where l.account in ('gift-card-liability', 'store-credit-liability')
group by e.entity, e.currency, l.account
having bool_or(l.item <> '' and not starts_with(l.item, 'card/'))

-- name: every_card_movement_stands_on_its_card
-- says: What was told of a card is on that card, with the amount that was told.
-- do: The balance of this card is wrong: reverse the entry and have the movement told anew.
-- owner: finance
select r.id, r.fact, r.type, r.amount, l.held from seen_record r
join entry e on e.fact = r.fact
left join (
  select entry, item, -sum(txn_amount) as held from entry_line
  where account in ('gift-card-liability', 'store-credit-liability') and item <> ''
  group by entry, item) l on l.entry = e.id and l.item = 'card/' || r.card
where r.type in ('GiftCardIssued', 'GiftCardAdjusted', 'GiftCardExpired', 'StoreCreditIssued',
                 'StoreCreditAdjusted', 'StoreCreditExpired')
  and coalesce(l.held, 0) <> case when r.type like '%Expired' then -r.amount else r.amount end

-- name: every_entry_was_told
-- says: Behind every entry there is a fact in the log.
-- do: Somebody wrote into the book past the hub: find out who, reverse it.
-- owner: finance
select e.id, e.fact, e.fact_type from entry e
left join (select distinct fact from seen_record where fact is not null) r on r.fact = e.fact
where r.fact is null and to_regclass('record_0') is not null

-- name: journal_entries_reach_the_erp_once
-- says: Every entry the ERP needs as a journal is in one, or waits for it.
-- do: Missing: report a defect. The ledger of the ERP lacks these entries.
-- owner: finance
-- at rest
select e.id, e.fact from entry e
left join journal_summary s on s.entry = e.id::text
left join (select distinct entry from journal_pending) p on p.entry = e.id::text
where e.gl = 'journals' and s.entry is null and p.entry is null

-- name: no_entry_is_in_two_journals
-- says: An entry that went out in a journal does not wait for another one.
-- do: Report a defect before the next `journals` run; else the ERP books it twice.
-- owner: finance
select distinct p.entry, s.op from journal_pending p join journal_summary s on s.entry = p.entry

-- name: journals_hold_only_entries_that_are_theirs
-- says: What waits for a journal is what its entry says, line by line.
-- do: Report a defect; the journal would differ from the book.
-- owner: finance
select p.entry, p.total, p.lines, l.lines from (
  select entry, sum(amount) as total, count(*) as lines, sum(abs(amount)) as volume
  from journal_pending group by entry) p
left join (
  select e.id::text as entry, count(*) as lines, sum(abs(l.amount)) as volume
  from entry e join entry_line l on l.entry = e.id
  where e.gl = 'journals' and l.amount <> 0
    and e.id::text in (select entry from journal_pending)
  group by e.id) l using (entry)
where p.total <> 0 or p.lines is distinct from l.lines or p.volume is distinct from l.volume

-- name: every_summary_has_its_journal
-- says: Every journal that took entries exists as a document (or came to nothing).
-- do: Report a defect; the entries count as sent and are not.
-- owner: finance
select s.op, count(*) from journal_summary s
left join document d on d.op = s.op
where d.op is null and s.op not like '%/nil' group by s.op

-- name: every_journal_took_the_entries_it_names
-- says: The entries a journal was made of, as the log tells, are those noted as gone out in it.
-- do: Report a defect; an entry counts as sent and is not, or is sent again.
-- owner: finance
select r.fact, r.amount, s.entries from seen_record r
left join (select op, count(*) as entries from journal_summary group by op) s on s.op = r.fact
where r.type = 'JournalSummed' and s.entries is distinct from r.amount

-- name: every_entry_has_one_way_to_the_erp
-- says: What no journal takes to the ERP belongs to an invoice or credit note, or is not to be told.
-- do: Neither: report a defect, the ERP's ledger lacks these entries.
-- owner: finance
-- at rest
select e.id, e.fact, e.fact_type from entry e
left join (
  select key, bool_or(kind = 'sales_order') as ordered,
         bool_or(kind in ('invoice', 'credit_note')) as charged
  from document group by key) d on d.key = e.key
left join seen_held h on h.key = e.key and h.room in ('publishing', 'reading')
where e.gl = 'documents'
  and (e.fact_type not in ('SaleRecognised', 'SaleReversed')
       or (d.ordered and not d.charged and h.key is null))

-- name: no_journal_for_what_the_erp_books_itself
-- says: What the ERP books from its own documents, or is not told, is not sent to it as a journal.
-- do: The ERP has it twice: take the journal back there, then report a defect.
-- owner: finance
select e.id, e.fact from entry e
left join journal_summary s on s.entry = e.id::text
left join (select distinct entry from journal_pending) p on p.entry = e.id::text
where e.gl <> 'journals' and (s.entry is not null or p.entry is not null)
