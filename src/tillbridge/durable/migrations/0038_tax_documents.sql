-- Tax documents: what tax services were asked, one row per subject of an order.
create table tax_document (
  key text primary key,
  revision int not null,
  order_key text not null,
  subject text not null,
  -- asked, calculated, committed, voided, refused
  state text not null,
  service text not null,
  entity text not null,
  direction text not null,
  currency text not null,
  -- minor units: what the tax is on, and the tax as charged or worked out
  amount bigint not null,
  tax bigint not null,
  words text not null default '',
  body bytea not null
) with (fillfactor = 80);
create index tax_document_order on tax_document (order_key);
create index tax_document_open on tax_document (state) where state in ('asked', 'refused');
