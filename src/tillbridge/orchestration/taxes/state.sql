-- Tax documents, loaded and written as sets.

-- name: read
select key, body from tax_document where key = any(%b::text[])

-- name: save
insert into tax_document (key, revision, order_key, subject, state, service, entity, direction,
                          currency, amount, tax, words, body)
select * from unnest(%b::text[], %b::int[], %b::text[], %b::text[], %b::text[], %b::text[],
                     %b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::text[],
                     %b::bytea[])
on conflict (key) do update set
  revision = excluded.revision, order_key = excluded.order_key, subject = excluded.subject,
  state = excluded.state, service = excluded.service, entity = excluded.entity,
  direction = excluded.direction, currency = excluded.currency, amount = excluded.amount,
  tax = excluded.tax, words = excluded.words, body = excluded.body
