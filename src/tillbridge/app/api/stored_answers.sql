-- Stored answers of the API.

-- name: find
select a.client, a.key, a.asked, a.status, a.body
from unnest(%b::text[], %b::text[]) w (client, key) join api_answer a using (client, key)

-- name: keep
insert into api_answer (client, key, asked, status, body, day)
select c, k, q, s, b, %b::date from unnest(%b::text[], %b::text[], %b::bytea[], %b::smallint[],
  %b::bytea[]) x (c, k, q, s, b)

-- name: expire
with old as (
  select ctid from api_answer where day < %b::date limit 10000
)
delete from api_answer a using old where a.ctid = old.ctid
