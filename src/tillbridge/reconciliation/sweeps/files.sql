-- What files say of themselves, as sweeps of their streams.

-- name: sweep
-- each file once, in one statement: its sweep, its sums, and that it was looked at
with due as materialized (
  select connection, sha256, path, stream, claimed_at, done_at, coalesce(stated, 0) as stated,
         stated is null as mute, counted, currency, stated_sum, counted_sum, totals_words,
         totals_refused, nextval(pg_get_serial_sequence('sweep', 'id')) as number
  from file_claim where stream is not null and not swept
  order by done_at limit %(most)s for update
), swept as (
  insert into sweep (id, connection, stream, since, until, at, source_count, hub_count, missing,
                     behind, waiting, differing)
  overriding system value
  select number, connection, stream, least(claimed_at, done_at), done_at, %(now)s, stated, counted,
         greatest(stated - counted, 0), 0, 0, (totals_words <> '')::int
  from due
), summed as (
  insert into sweep_sum (sweep, currency, source_amount, source_refunded, hub_amount, hub_refunded)
  select number, currency, stated_sum, 0, counted_sum, 0 from due where currency <> ''
), marked as (
  update file_claim f set swept = true from due d
  where f.connection = d.connection and f.sha256 = d.sha256
)
select connection, path, mute, totals_words, totals_refused from due order by done_at
