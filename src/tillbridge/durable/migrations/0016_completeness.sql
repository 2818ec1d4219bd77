-- Completeness: when tills were heard, which numbers they used, what sweeps found.

-- the hub's own time of the first telling: finds the till days that have something new
alter table sale_state add column heard_at timestamptz not null default now();
create index sale_state_heard on sale_state using brin (heard_at);

-- one row per till and business day it was heard of
create table till_day (
  source text not null,
  location text not null,
  till text not null,
  business_date date not null,
  transactions int not null,
  sales int not null,
  first_heard_at timestamptz not null,
  last_heard_at timestamptz not null,
  closed_heard_at timestamptz,
  primary key (source, location, till, business_date)
);
create index till_day_heard on till_day (last_heard_at);
create index till_day_date on till_day (business_date);

-- numbers used on a day: from first on to last; till '' where a store's tills share them
create table till_numbers (
  source text not null,
  location text not null,
  till text not null,
  business_date date not null,
  first bigint not null,
  last bigint not null,
  prefixes text[] not null,        -- of the keys, so that a missing number's key can be said
  width smallint not null,         -- digits where numbers are written with leading zeros, else 0
  primary key (source, location, till, business_date)
);

-- numbers never heard; head: between the last day's numbers and this day's first
create table till_gap (
  source text not null,
  location text not null,
  till text not null,
  business_date date not null,
  head boolean not null,
  first bigint not null,
  last bigint not null,
  missing bigint not null check (missing > 0),
  noticed_at timestamptz not null,
  filled_at timestamptz,
  primary key (source, location, till, business_date, head, first, last)
);
create index till_gap_open on till_gap (source, location, till, business_date)
  where filled_at is null;

-- every comparison of a stream with its source over a window of changes, since <= t < until
create table sweep (
  id bigint generated always as identity primary key,
  connection text not null,
  stream text not null,
  since timestamptz not null,
  until timestamptz not null,
  at timestamptz not null,
  source_count bigint not null,
  hub_count bigint not null,
  missing bigint not null,
  behind bigint not null,
  waiting bigint not null,
  differing bigint not null
);
create index sweep_stream on sweep (connection, stream, at);
create table sweep_sum (
  sweep bigint not null references sweep,
  currency text not null,
  source_amount bigint not null,
  source_refunded bigint not null,
  hub_amount bigint not null,
  hub_refunded bigint not null,
  primary key (sweep, currency)
);
-- what a sweep asked to be read again; `document` tells what became of it
create table sweep_asked (
  sweep bigint not null references sweep,
  op text not null,
  key text not null,
  why text not null check (why in ('missing', 'behind')),
  primary key (sweep, op)
);
