-- A key whose next document its ERP's ledger books waits until the posting window opens, and is due then.
alter table outkey add column opens timestamptz;

-- A payout below zero may stay at the provider: its total is carried forward, nothing goes to the bank.
alter table payout add column carried boolean not null default false;
-- what payouts before it brought forward into its total, where none of its lines says so
alter table payout add column brought bigint not null default 0;
