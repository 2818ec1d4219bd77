-- Returns asked for at a till or service desk.

-- name: order
select key, body from order_state
where (key = %(text)s or number = %(text)s or number = '#' || %(text)s)
  and (%(channel)s = '' or channel = %(channel)s)
order by key limit 2

-- name: sale
select s.key, s.voided, s.returns, r.version, r.body from sale_state s
join lateral (select version, body from record where key = s.key and type = 'SaleRung'
              order by id limit 1) r on true
where (s.key = %(text)s or s.receipt = %(text)s) and s.type = 'SaleRung'
order by s.key limit 2

-- name: told
-- what the flow has not taken yet; folding what it took changes nothing
select version, type, body from record
where key = %b and type in ('ReturnAuthorized', 'ReturnCancelled', 'GoodsReturned') order by id

-- name: alone
-- two tills that ask for the same goods decide one after the other
select pg_advisory_xact_lock(hashtextextended(%b, 33))
