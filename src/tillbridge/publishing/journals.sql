-- Entries that wait to be sent as journals, summed up per entity, flow, place and day.

-- name: add_pending
insert into journal_pending (entry, n, entity, flow, place, day, currency, account, amount, item)
select * from unnest(%b::text[], %b::smallint[], %b::text[], %b::text[], %b::text[], %b::date[],
                     %b::text[], %b::text[], %b::bigint[], %b::text[])
on conflict do nothing

-- name: groups
select entity, flow, place, day, currency
from journal_pending group by entity, flow, place, day, currency
having max(at) <= %b::text::timestamptz
order by entity, flow, place, day

-- name: lock
select pg_advisory_xact_lock(79)

-- name: take
-- Summed up from the very rows that are taken: an entry that commits between two statements would
-- be noted as summarised without being in the sums. The first row (no account) names the entries.
-- Where all cancels no document takes the number, so the name ends with the first entry instead:
-- nothing else is ever summed up with that one.
with taken as (
  delete from journal_pending
  where (entity, flow, place, day, currency) = (%b, %b, %b, %b, %b)
  returning entry, account, amount
), sums as (
  select account, sum(amount)::bigint as amount from taken group by account
), noted as (
  insert into journal_summary (op, entry)
  select distinct %b::text || case when exists (select from sums where amount <> 0) then ''
                                   else '/' || (select min(entry) from taken) || '/nil' end, entry
  from taken
  on conflict do nothing
)
select account, amount, null::text[] from sums where amount <> 0
union all
select '', 0, array_agg(distinct entry order by entry) from taken
order by 1

-- name: earlier
select count(*)::int from document where dest = %b and key = %b

-- name: parties
select party, details from party where party = any(%b::text[]) and erased_at is null
