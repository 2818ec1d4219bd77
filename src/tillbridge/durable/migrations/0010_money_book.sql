-- The money book: entries are written once, balance per entity, and are only ever reversed.

-- months finance has locked; what is not here is open
create table period (
  entity text not null,
  period text not null check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
  state text not null check (state in ('open', 'locked')),
  changed_at timestamptz not null,
  changed_by text not null,
  primary key (entity, period)
);

-- every rule that ever made an entry, as it read then
create table posting_rule (
  hash bytea primary key,
  name text not null,
  version text not null,
  meaning bytea not null,
  first_at timestamptz not null
);

create table entry (
  id uuid primary key,             -- stable: made of fact and entity
  fact text not null,
  fact_type text not null,
  fact_hash bytea not null,
  key text not null,
  entity text not null,
  rule text not null,
  rule_version text not null,
  rule_hash bytea not null,        -- posting_rule.hash, one after the other for several purposes
  business_date date not null,
  posted_date date not null,       -- business date, or the first day of the next open month
  currency text not null,          -- functional
  flow text not null check (flow in ('web', 'stores')),
  channel text not null,
  location text not null,
  gl text not null check (gl in ('documents', 'journals')),
  reverses uuid,
  lines smallint not null check (lines > 0),
  at timestamptz not null,
  unique (fact, entity)
);
create index entry_key on entry (key);
create index entry_posted on entry (entity, posted_date);

create table entry_line (
  entry uuid not null,
  n smallint not null,
  account text not null,
  amount bigint not null,          -- functional minor units, debit positive
  txn_amount bigint not null,
  txn_currency text not null,
  item text not null default '',
  primary key (entry, n)
);
create index entry_line_item on entry_line (item, account) where item <> '';

-- a void waits here until its sale is booked; afterwards it says which void took the sale back
create table sale_void (
  voided text primary key,
  fact text not null,
  fact_hash bytea not null,
  version smallint not null,
  body bytea not null,
  posted boolean not null,
  at timestamptz not null
);
create index sale_void_waiting on sale_void (at) where not posted;

-- All lines of an entry come in one statement: they sum to zero, are as many as the entry says, and
-- are numbered from 1 on, so that nothing can be added later.
-- The head is looked up by its index, one by one: a join would be planned as a scan of the whole
-- book, which grows.
create function entry_line_guard() returns trigger language plpgsql set enable_seqscan = off as $$
declare
  wrong uuid;
begin
  select l.entry into wrong
  from (select entry, sum(amount) as total, count(*) as lines, min(n) as first, max(n) as last
        from added group by entry) l
  where l.total <> 0 or l.first <> 1 or l.last <> l.lines
     or l.lines is distinct from (select e.lines from entry e where e.id = l.entry)
  limit 1;
  if found then
    raise exception 'entry % does not balance or is not whole', wrong
      using errcode = 'check_violation';
  end if;
  return null;
end $$;
create trigger entry_line_balanced after insert on entry_line
  referencing new table as added for each statement execute function entry_line_guard();

-- Who posts holds this lock shared until the end of the transaction, who locks a month takes it
-- alone (66, see posting/money/periods.py): a month cannot be locked under a posting.
create function entry_period_guard() returns trigger language plpgsql as $$
declare
  wrong record;
begin
  perform pg_advisory_xact_lock_shared(66);
  select a.id, a.entity, p.period into wrong
  from added a join period p on p.entity = a.entity and p.period = to_char(a.posted_date, 'YYYY-MM')
  where p.state = 'locked' limit 1;
  if found then
    raise exception 'period % of % is locked; entry % cannot be posted in it',
      wrong.period, wrong.entity, wrong.id using errcode = 'check_violation';
  end if;
  return null;
end $$;
create trigger entry_in_open_period after insert on entry
  referencing new table as added for each statement execute function entry_period_guard();

create function entry_is_final() returns trigger language plpgsql as $$
begin
  raise exception '% is written once: reverse an entry, never change it', tg_table_name
    using errcode = 'integrity_constraint_violation';
end $$;
create trigger entry_final before update or delete or truncate on entry
  for each statement execute function entry_is_final();
create trigger entry_line_final before update or delete or truncate on entry_line
  for each statement execute function entry_is_final();
create trigger posting_rule_final before update or delete or truncate on posting_rule
  for each statement execute function entry_is_final();
