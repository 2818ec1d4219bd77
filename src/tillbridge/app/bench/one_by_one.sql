-- What a shop's own code does for one reservation, in one transaction of its own.

-- name: lock
select product, on_hand - reserved from stock
where location = %b and product = any(%b::text[]) and condition = 'sellable'
order by product
for no key update

-- name: write
with taken as (
  update stock s
  set reserved = s.reserved + x.q, changed_at = coalesce(s.changed_at, %(now)s)
  from unnest(%(products)s::text[], %(quantities)s::bigint[]) x (p, q)
  where s.location = %(location)s and s.product = x.p and s.condition = 'sellable'
), held as (
  insert into hold (key, version, ok, short, kind, channel, expires_at, locations, split_most,
                    placed_at, desk)
  values (%(key)s, 1, true, '', %(kind)s, %(channel)s, %(expires_at)s, %(locations)s,
          %(split_most)s, %(now)s, true)
), answered as (
  insert into api_answer (client, key, asked, status, body, day)
  values (%(client)s, %(id)s, %(asked)s, %(status)s, %(body)s, %(now)s::timestamptz::date)
)
insert into reservation (key, line, location, product, quantity)
select %(key)s, n, %(location)s, p, q
from unnest(%(names)s::text[], %(products)s::text[], %(quantities)s::bigint[]) x (n, p, q)
