-- State of the deciders: one row per order and per till transaction.
create table order_state (
  key text primary key,
  revision int not null,
  number text not null default '',
  channel text not null default '',
  status text not null default '',
  currency text not null default '',
  total bigint,
  placed_at timestamptz,
  body bytea not null
) with (fillfactor = 80);
alter table order_state alter column body set storage external;
create index order_state_number on order_state (number);

create table sale_state (
  key text primary key,
  type text not null,
  fact_hash bytea,
  source text not null,
  location text not null default '',
  till text not null default '',
  business_date date,
  sequence text not null default '',
  receipt text not null default '',
  total bigint,
  currency text not null default '',
  voided boolean not null default false,
  pending_void bytea
);
create index sale_state_till on sale_state (location, till, business_date, sequence);
create index sale_state_receipt on sale_state (receipt);
