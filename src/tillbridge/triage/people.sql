-- A person: the vault's row, the orders that name the party, the messages that told of them.

-- name: unlimited
select set_config('statement_timeout', '0', true)

-- name: by_party
select party, connection from party where party = %b

-- name: by_order
-- a party id is 26 signs that occur nowhere else, so the bytes tell
select p.party, p.connection from party p join order_state o
  on position(convert_to(p.party, 'UTF8') in o.body) > 0
where o.key = %(text)s or o.number = %(text)s or o.number = '#' || %(text)s

-- name: by_words
select p.party, p.connection from party p
cross join lateral (select convert_from(p.details, 'UTF8')::jsonb as d) x
where p.details is not null
  and (lower(d ->> 'email') = lower(%(text)s) or lower(d ->> 'name') = lower(%(text)s)
       or (%(digits)s <> '' and regexp_replace(d ->> 'phone', '[^0-9]', '', 'g') = %(digits)s))
order by 1

-- name: of_connection
select party from party where connection = %b and erased_at is null order by party

-- name: details
select connection, details, erased_at from party where party = %b

-- name: keys_of
select key from order_state where position(convert_to(%(party)s, 'UTF8') in body) > 0
union
select key from record where position(convert_to(%(party)s, 'UTF8') in body) > 0
union
select key from parked where position(convert_to(%(party)s, 'UTF8') in body) > 0

-- name: messages
-- what was told under the keys, what a request about the person came with, and whatever else
-- holds one of the words that are nobody else's (mail address, phone number)
select (convert_from(r.body, 'UTF8')::json ->> 'message')::bigint from record r
where r.type = 'Received' and r.key = any(%(keys)s)
union
select c.message from exception_case c
where c.message is not null and (c.key = any(%(keys)s) or c.details ->> 'party' = %(party)s)
union
select m.id from message m, unnest(%(words)s::bytea[]) w (word) where position(w.word in m.body) > 0

-- name: in_flight
select
  (select count(*) from record r join cursor c on c.consumer = 'flow' and c.lane = r.lane
   where r.key = any(%(keys)s) and r.id > c.pos and not r.fused),
  (select count(*) from parked where key = any(%(keys)s)),
  (select count(*) from job where key = any(%(keys)s))

-- name: hold_of
select until, reason from legal_hold where party = %b and until >= %b

-- name: put_hold
insert into legal_hold (party, until, reason, by) values (%b, %b, %b, %b)
on conflict (party) do update set until = excluded.until, reason = excluded.reason,
  by = excluded.by, at = now()

-- name: drop_hold
delete from legal_hold where party = %b

-- name: ask
insert into erasure (party, connection, state, reason, asked_by)
values (%b, %b, 'waiting', %b, %b)
on conflict (party) where state = 'waiting' do update set reason = excluded.reason
returning id

-- name: wait
update erasure set waits_for = %b where id = %b

-- name: waiting
select party, reason, asked_by from erasure where state = 'waiting' order by id

-- name: list
select id, party, connection, state, reason, asked_by, asked_at, due_at, waits_for, done_at,
  kept::text
from erasure order by id

-- name: blank_party
insert into party (party, connection, erased_at) values (%b, %b, now())
on conflict (party) do update set details = null, erased_at = coalesce(party.erased_at, now()),
  updated_at = now()

-- name: blank_messages
update message set body = %(blank)s, headers = '{}', masked = null, stored_hash = sha256(%(blank)s)
where id = any(%(messages)s::bigint[]) and body <> %(blank)s
returning id, place

-- name: note_messages
insert into erased_message (message, erasure) select m, %b from unnest(%b::bigint[]) m
on conflict (message) do nothing

-- name: blank_closed_cases
update exception_case set words = 'erased', remedy = '', details = '{}', resolution = 'erased'
where state = 'resolved' and (key = any(%(keys)s) or message = any(%(messages)s::bigint[]))

-- name: open_cases
select id, words, remedy, details::text from exception_case
where state = 'open' and (key = any(%(keys)s) or message = any(%(messages)s::bigint[]))

-- name: scrub_case
update exception_case set words = %b, remedy = %b, details = %b::jsonb where id = %b

-- name: requests
select id from exception_case
where state = 'open' and reason = 'privacy_request' and details ->> 'party' = %b order by id

-- name: kept
select (select count(*) from entry where key = any(%(keys)s)),
  (select count(*) from document where key = any(%(keys)s)),
  (select count(*) from record where key = any(%(keys)s))

-- name: finish
update erasure set state = 'done', done_at = now(), waits_for = '', kept = %b::jsonb where id = %b

-- name: orders
select key, number, channel, status, currency, total, placed_at from order_state
where key = any(%b::text[]) order by placed_at, key

-- name: documents
select t.name, d.kind, d.number, d.day from document d join dest t using (dest)
where d.key = any(%b::text[]) order by d.day, d.op
