-- Settlement: what providers and banks told, line by line, and what was made of it.

-- one telling: a file, taken in whole or not at all
create table settlement_file (
  id bigint generated always as identity primary key,
  account text not null,
  name text not null,
  sha256 bytea not null,
  lines int not null,
  broken int not null,
  at timestamptz not null
);
create unique index settlement_file_content on settlement_file (account, sha256);

create table payout (
  id bigint generated always as identity primary key,
  key text not null unique,
  account text not null,             -- connection
  payout text not null,              -- the provider's id
  entity text not null,
  currency text not null,
  amount bigint,                     -- what the provider says it sends; null = nobody said it yet
  state text not null default '',
  paid_on date,
  itemised boolean not null default true,
  bank_reference text not null default '',
  reason text not null default '',
  version int not null default 0,    -- of what is booked of it
  booked jsonb not null default '{}',
  tied boolean not null default false,
  due boolean not null default true, -- something was told since it was worked out
  heard_at timestamptz not null
);
create index payout_due on payout (account) where due;

-- the evidence: written once, in sets, in the order of the file
create table settlement_line (
  id bigint generated always as identity primary key,
  account text not null,
  line text not null,                -- the provider's id of the row
  payout bigint not null,
  file bigint not null,
  n int not null,                    -- line of the file
  type text not null,
  told text not null,
  gross bigint not null,
  fee bigint not null,
  net bigint not null,
  currency text not null,
  tender text not null,
  reference text not null,
  parent text not null,
  order_name text not null,
  at timestamptz,
  presented bigint,
  presented_currency text not null,
  rate text not null,
  extra text not null,
  check (net = gross - fee)
);
create unique index settlement_line_name on settlement_line (account, line);
create index settlement_line_payout on settlement_line (payout);

-- money that the log tells of: captures, refunds, disputes, by the provider's reference
create table money_movement (
  id bigint generated always as identity primary key,
  kind text not null,                -- as types of settlement lines
  tender text not null,
  reference text not null,
  intent text not null,
  key text not null,
  amount bigint not null,            -- signed as the provider's debt to us
  fee bigint not null,               -- told with it and booked there
  currency text not null,
  at timestamptz not null
);
create unique index money_movement_reference on money_movement (reference, kind, tender);
create index money_movement_intent on money_movement (intent, kind) where intent <> '';
create index money_movement_key on money_movement (key);
-- how far the log was read for them
create table movements_read (
  one boolean primary key default true check (one),
  record bigint not null
);
insert into movements_read (record) values (0);

-- what was made of a line: which money it is, and the entry that holds it
create table settlement_match (
  line bigint primary key,
  payout bigint not null,
  how text not null check (how in
    ('own', 'reference', 'intent', 'order', 'currency', 'open', 'unknown', 'accepted')),
  key text not null,
  movement bigint,
  difference bigint not null,        -- told by the provider less what the book holds
  entry uuid
);
create index settlement_match_movement on settlement_match (movement) where movement is not null;
create index settlement_match_key on settlement_match (key) where key <> '';
create index settlement_match_waits on settlement_match (payout)
  where how in ('open', 'unknown', 'currency') or difference <> 0;

-- differences a person has given a meaning
create table settlement_residual (
  id bigint generated always as identity primary key,
  payout bigint not null,
  kind text not null,
  amount bigint not null,            -- signed as the provider's debt to us
  tender text not null,
  whole boolean not null,            -- of the payout's total, not of single lines
  lines text[] not null,
  fact text not null unique,
  words text not null,
  by text not null,
  at timestamptz not null
);
create index settlement_residual_payout on settlement_residual (payout);

create table bank_statement (
  id bigint generated always as identity primary key,
  account text not null,
  statement text not null,
  number text not null,              -- IBAN
  currency text not null,
  opening bigint,
  closing bigint,
  file bigint not null,
  lines int not null,
  net bigint not null,
  last_day date,
  at timestamptz not null,
  unique (account, statement)
);
create table bank_line (
  id bigint generated always as identity primary key,
  account text not null,
  statement bigint not null,
  line text not null,
  n int not null,
  amount bigint not null,
  currency text not null,
  booked_on date not null,
  reference text not null,
  text text not null,
  told text not null,
  reversal boolean not null
);
create unique index bank_line_name on bank_line (statement, line, n);
create index bank_line_amount on bank_line (account, currency, booked_on);

-- which payout a bank line is, or a part of it: amounts of a bank line's matches never exceed it
create table bank_match (
  bank_line bigint not null,
  payout bigint not null,
  amount bigint not null,
  how text not null check (how in ('reference', 'amount', 'sum', 'accepted')),
  primary key (bank_line, payout)
);
create index bank_match_payout on bank_match (payout);

create function settlement_is_final() returns trigger language plpgsql as $$
begin
  raise exception '% is written once, as it was told', tg_table_name
    using errcode = 'integrity_constraint_violation';
end $$;
create trigger settlement_line_final before update or delete or truncate on settlement_line
  for each statement execute function settlement_is_final();
create trigger bank_line_final before update or delete or truncate on bank_line
  for each statement execute function settlement_is_final();

-- A difference is what two persons say it is, and says so for ever.
create function settlement_residual_guard() returns trigger language plpgsql as $$
declare
  change jsonb;
begin
  change := approved('settlement.accept', 'accepting a difference');
  if change is null then
    return null;
  end if;
  perform from added a join payout p on p.id = a.payout
  where (p.key, a.kind, a.amount, to_jsonb(a.lines)) is distinct from
        (change ->> 'payout', change ->> 'kind', (change ->> 'amount')::bigint, change -> 'lines');
  if found or (select count(*) from added) <> 1 then
    raise exception 'the difference is not the one that was approved'
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger settlement_residual_accepted after insert on settlement_residual
  referencing new table as added for each statement execute function settlement_residual_guard();
create trigger settlement_residual_final before update or delete or truncate on settlement_residual
  for each statement execute function settlement_is_final();
