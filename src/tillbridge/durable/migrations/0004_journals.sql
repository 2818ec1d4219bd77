-- Entries that still have to reach the ERP as journals, and which summary took which entry.
create table journal_pending (
  entry text not null,
  n smallint not null,
  entity text not null,
  flow text not null,
  place text not null,
  day date not null,
  currency text not null,
  account text not null,
  amount bigint not null,
  item text not null default '',
  at timestamptz not null default now(),
  primary key (entry, n)
);
create index journal_pending_group on journal_pending (entity, flow, place, day);
create table journal_summary (
  op text not null,
  entry text not null,
  primary key (entry)
);
create index journal_summary_op on journal_summary (op);
