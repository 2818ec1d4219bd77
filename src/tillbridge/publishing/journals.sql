-- Entries that wait to be sent as journals, summed up per entity, flow, place and day.

-- name: add_pending
insert into journal_pending (entry, n, entity, flow, place, day, currency, account, amount, item)
select * from unnest(%b::text[], %b::smallint[], %b::text[], %b::text[], %b::text[], %b::date[],
                     %b::text[], %b::text[], %b::bigint[], %b::text[])
on conflict do nothing

-- name: groups
select entity, flow, place, day, currency, count(distinct entry)
from journal_pending group by entity, flow, place, day, currency
having max(at) <= %b::text::timestamptz
order by entity, flow, place, day

-- name: lock
select pg_advisory_xact_lock(79)

-- name: sums
select account, sum(amount)::bigint from journal_pending
where (entity, flow, place, day, currency) = (%b, %b, %b, %b, %b)
group by account order by account

-- name: take
with taken as (
  delete from journal_pending
  where (entity, flow, place, day, currency) = (%b, %b, %b, %b, %b)
  returning entry
)
insert into journal_summary (op, entry)
select distinct %b::text, entry from taken
on conflict do nothing

-- name: earlier
select count(*)::int from document where dest = %b and op like %b

-- name: parties
select party, details from party where party = any(%b::text[]) and erased_at is null
