-- Accounts: bucket, semaphore and breaker of a remote account, shared by every kind of call.

-- name: make_own
insert into dest (name, rate, burst, conc, tokens, settle_seconds)
values (%(name)s, %(rate)s::float8, %(burst)s::float8, %(conc)s::int, %(burst)s::float8,
        %(settle)s::float8)
on conflict (name) do update
set rate = excluded.rate, burst = excluded.burst, conc = excluded.conc, account = null,
    settle_seconds = excluded.settle_seconds
returning dest

-- name: make_sharing
insert into dest (name, account, rate, burst, conc, tokens, settle_seconds)
values (%(name)s, %(account)s, %(rate)s::float8, %(burst)s::float8, %(conc)s::int, 0,
        %(settle)s::float8)
on conflict (name) do update
set rate = excluded.rate, burst = excluded.burst, conc = excluded.conc, account = excluded.account,
    settle_seconds = excluded.settle_seconds
returning dest

-- name: make_missing
insert into dest (name, rate, burst, conc, tokens)
values (%(name)s, %(rate)s::float8, %(burst)s::float8, %(conc)s::int, %(burst)s::float8)
on conflict (name) do nothing

-- name: lock_account
-- A statement of its own: callers take turns, and `look` sees slots and pauses in a snapshot taken
-- after the one before has committed. Seen in the statement that waits, its slot would be missed.
-- A clock that is behind the one of the last call refills nothing, and takes nothing away.
select a.dest, a.conc, a.failures,
       least(a.burst, a.tokens + a.rate * greatest(0, extract(epoch from %(now)s::timestamptz - a.at))),
       a.open_until is null or a.open_until <= %(now)s,
       d.name,
       set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true),
       set_config('enable_seqscan', 'off', true)
from dest d join dest a on a.dest = coalesce(d.account, d.dest)
where d.name = %(name)s or d.dest = %(dest)s
for update of a

-- name: look
-- Calls under way, what is paused of the connection, and the best class in which another connection
-- of the account waits (9: none).
select (select count(*) from slot where account = %(account)s),
       coalesce((select array_agg(kind) from pause where connection = %(name)s), '{}'),
       (select coalesce(min(c), 9) from generate_series(0, 3) c
        where exists (
          select from dest o join outkey k on k.dest = o.dest
          where coalesce(o.account, o.dest) = %(account)s and k.prio = c and k.due <= %(now)s
            and k.lease_until is null and (o.dest = %(dest)s) is not true
            and not exists (select from pause p where p.connection = o.name and p.kind = ''))
           or c = 1 and exists (
          select from dest o join publication k on k.dest = o.dest
          where coalesce(o.account, o.dest) = %(account)s and k.due <= %(now)s and k.sent is null
            and (o.dest = %(dest)s) is not true
            and not exists (select from pause p where p.connection = o.name and p.kind = '')))

-- name: begin_call
-- The slot, and the token of the first call.
with t as (
  update dest set tokens = %(tokens)s::float8 - 1, at = greatest(at, %(now)s) where dest = %(account)s
)
insert into slot (account, class, lease_until)
values (%(account)s, %(class)s, %(now)s::timestamptz + %(lease)s::interval)
returning slot

-- name: take_token
-- Reserves a place in the queue of calls: below zero it says how long to wait for it.
update dest a
set tokens = least(burst, tokens + rate * greatest(0, extract(epoch from %(now)s::timestamptz - at))) - 1,
    at = greatest(at, %(now)s)
where dest = %(account)s and (open_until is null or open_until <= %(now)s)
  and exists (select from slot where slot = %(slot)s)
returning greatest(0, -tokens / rate), set_config('synchronous_commit', 'off', true)

-- name: why_not
select open_until, exists (select from slot where slot = %(slot)s) from dest
where dest = %(account)s

-- name: end_call
delete from slot where slot = %b returning set_config('synchronous_commit', 'off', true)

-- name: renew_slots
update slot set lease_until = %b::timestamptz + %b::interval where slot = any(%b::bigint[])

-- name: renew_keys
with mine as materialized (
  select o.dest, o.key from outkey o
  join unnest(%(dests)s::smallint[], %(keys)s::text[], %(tokens)s::bigint[]) x (dest, key, token)
    on o.dest = x.dest and o.key = x.key and o.token = x.token
  for update of o skip locked
)
update outkey o set lease_until = %(now)s::timestamptz + %(lease)s::interval
from mine where (o.dest, o.key) = (mine.dest, mine.key)

-- name: sweep
-- What no living process renews: the call may still be running over there, so its keys are looked
-- up before they are sent again, and not before it must have come to its end. A key that is being answered at this moment is left to its owner.
with gone as (
  delete from slot where lease_until < %(now)s
), late as materialized (
  select dest, key from outkey where lease_until < %(now)s limit 500 for update skip locked
)
update outkey o set lease_until = null, token = null, unknown = true,
  due = case when d.settle_seconds = 0 then o.due else
    greatest(o.due, %(now)s::timestamptz + d.settle_seconds * interval '1 s') end
from late join dest d using (dest) where (o.dest, o.key) = (late.dest, late.key)

-- name: failures
select failures from dest where dest = (select coalesce(account, dest) from dest where dest = %b)

-- name: breaker_open
-- Calls that were under way when it opened say nothing new.
update dest
set failures = failures + (open_until is null or open_until <= %(now)s)::int,
    open_until = greatest(open_until, %(until)s)
where dest = (select coalesce(account, dest) from dest where dest = %(dest)s)
returning failures

-- name: breaker_close
-- Not while it is open: the answer is to a call made before the far side asked for patience.
update dest set failures = 0, open_until = null
where dest = (select coalesce(account, dest) from dest where dest = %(dest)s)
  and failures > 0 and (%(now)s::timestamptz is null or open_until <= %(now)s)

-- name: waiting
-- Per account and class: how many wait and since when; polls are keys of their own here.
select a.name, w.class, count(*), min(w.due) from (
  select k.dest, k.prio as class, k.due from outkey k
  where k.due <= %(now)s and k.lease_until is null
  union all
  select p.dest, 1, p.due from publication p where p.due <= %(now)s and p.sent is null
  union all
  select d.dest, 4, p.due_at from poll_cursor p join dest d on d.name = p.connection
  where p.due_at <= %(now)s
) w join dest d on d.dest = w.dest join dest a on a.dest = coalesce(d.account, d.dest)
group by a.name, w.class order by a.name, w.class

-- name: under_way
select a.name, a.conc, count(s.slot), a.tokens from dest a left join slot s on s.account = a.dest
where a.account is null group by a.dest, a.name, a.conc, a.tokens order by a.name
