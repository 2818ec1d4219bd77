-- What sweeps found, newest first.

-- name: sweeps
select s.id, s.connection, s.stream, s.since, s.until, s.at, s.source_count, s.hub_count,
       s.missing, s.behind, s.waiting, s.differing,
       (select count(*) from sweep_asked a where a.sweep = s.id),
       (select count(*) from sweep_asked a
        where a.sweep = s.id
          and exists (select 1 from document d where d.op = a.op and d.state = 'accepted'))
from sweep s
where (%(connection)s = '' or s.connection = %(connection)s)
  and (%(stream)s = '' or s.stream = %(stream)s)
order by s.at desc, s.id desc
limit %(limit)s

-- name: sums_of
select sweep, currency, source_amount, source_refunded, hub_amount, hub_refunded
from sweep_sum where sweep = any(%b::bigint[]) order by sweep, currency

-- name: streams
select connection, stream, c.complete_through, s.at, s.missing + s.behind,
       case when c.failures > 0 then c.words else '' end
from poll_cursor c
full join (
  select distinct on (connection, stream) connection, stream, at, missing, behind
  from sweep order by connection, stream, at desc, id desc
) s using (connection, stream)
order by connection, stream
