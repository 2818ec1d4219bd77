-- The stock book: on hand is the sum of movements, reserved is the sum of live reservation rows.
create table stock (
  location text not null,
  product text not null,
  on_hand bigint not null default 0,
  reserved bigint not null default 0,
  counted_at timestamptz,
  primary key (location, product)
) with (fillfactor = 70);
create table stock_movement (
  id bigint generated always as identity primary key,
  fact text not null,
  n int not null,
  key text not null,
  kind text not null,
  location text not null,
  product text not null,
  quantity bigint not null check (quantity <> 0),
  occurred_at timestamptz not null,
  unique (fact, n)
);
create index stock_movement_place on stock_movement (location, product);
create table reservation (
  key text not null,
  line text not null,
  location text not null,
  product text not null,
  quantity bigint not null check (quantity > 0),
  primary key (key, line)
);
create index reservation_place on reservation (location, product);
-- each request's answer: an older or repeated request is a no-op
create table hold (
  key text primary key,
  version int not null,
  ok boolean not null,
  short text not null default ''
) with (fillfactor = 70);
-- what other systems say they hold; evidence, not the book
create table stock_evidence (
  source text not null,
  location text not null,
  product text not null,
  basis text not null,
  quantity bigint not null,
  counted_at timestamptz not null,
  primary key (source, location, product, basis)
);
