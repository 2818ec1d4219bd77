-- The payments a settlement bench is matched with, and what came of it.

-- name: tell_payments
-- one capture for each charge and one refund for each refund of the file, as the flow has logged them
insert into record (lane, key, type, version, fused, body)
select 0, 'order/web/' || (n * 4 / 10), case when n %% 10 < 4 then 'PaymentCaptured' else 'PaymentRefunded' end,
       1, true, convert_to(json_build_object(
         'key', 'order/web/' || (n * 4 / 10), 'id', 'payment/' || n, 'source', 'web',
         'mapping', 'bench/1', 'occurred_at', '2026-03-01T10:00:00Z', 'business_date', '2026-03-01',
         'entities', json_build_object('selling', 'us'),
         'reference', case when n %% 10 < 4 then 'ch_' || (n / 10 * 4 + n %% 10) else 're_' || n / 10 end,
         'tender', 'stripe', 'currency', 'USD',
         'amount', case when n %% 10 < 4 then 2000 + (n / 10 * 4 + n %% 10) %% 9000
                        else 500 + (n / 10) %% 900 end)::text, 'UTF8')
from generate_series(0, %(lines)s - 1) n where n %% 10 < 5

-- name: analyze
analyze money_movement

-- name: counted
select (select count(*) from settlement_line),
       (select count(*) from settlement_match m join entry e on e.id = m.entry),
       (select count(*) from settlement_match where how = 'open' or difference <> 0),
       (select sum(txn_amount) from entry_line where account = 'fees/stripe'),
       (select sum(txn_amount) from entry_line where account = 'payouts-in-transit')
