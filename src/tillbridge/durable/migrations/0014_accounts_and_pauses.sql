-- One budget per remote account: connections that share one draw on the same row of `dest`.
-- account: the row that holds bucket, semaphore and breaker; null = the connection's own row.
alter table dest add column account smallint;
-- so long a call may still be at work over there after nobody listens to it any more
alter table dest add column settle_seconds float8 not null default 0;

-- A call under way at an account, whoever makes it. It holds its place until it is given back, or
-- until the sweeper takes it from a process that no longer renews it.
create table slot (
  slot bigint generated always as identity primary key,
  account smallint not null,
  class smallint not null check (class between 0 and 4),
  lease_until timestamptz not null
);
create index slot_account on slot (account);

-- classes: 0 orders, 1 stock, 2 papers, 3 catalogue; polls (4) have no outbound key
alter table outkey drop constraint outkey_prio_check;
alter table outkey add constraint outkey_prio_check check (prio between 0 and 3);

-- What a person has paused: a connection (kind '') or one kind of document of it.
create table pause (
  connection text not null,
  kind text not null default '',
  since timestamptz not null,
  paused_by text not null,
  reason text not null default '',
  primary key (connection, kind)
);
alter table dest drop column paused;
-- a key whose next document is of a paused kind is set aside (due at infinity) until it is resumed
alter table outkey add column paused text;

-- since when pollers and drop folders wait for the flow; null = they do not
alter table hub add column held_back_since timestamptz;
