-- What channels show of our availability, and what they should. Quantities in thousandths.
-- location '' = one number over all places of a channel that knows no places; its parts stand
-- beside it and are never sent themselves.
create table publication (
  dest smallint not null,
  location text not null,
  product text not null,
  -- as last planned: what can be promised; what the channel's own orders hold of it; the last
  -- movement looked at (-1 = its orders were never counted); what the channel's own orders have ever taken, as told
  available bigint not null default 0 check (available >= 0),
  own bigint not null default 0,
  moved bigint not null default -1,
  told bigint not null default 0,
  -- the oldest change the channel has not been offered yet
  changed_at timestamptz,
  due timestamptz,                        -- null = the channel shows what it should
  attempts int not null default 0,
  -- the offer that is not answered yet, null = none is. slot: the call it is under way with
  version int not null default 0,
  sent bigint,
  sent_from bigint,
  sent_told bigint not null default 0,
  sent_change timestamptz,
  slot bigint,
  -- some attempt at it may have been applied: only the same offer again can tell
  unknown boolean not null default false,
  -- what the channel shows, as it last answered, and what had been told by then
  confirmed bigint,
  confirmed_told bigint not null default 0,
  confirmed_at timestamptz,
  lag_seconds float8,
  -- what the channel has sold and not told yet, held back until it does
  untold bigint not null default 0 check (untold >= 0),
  untold_since timestamptz,
  -- it told another number of itself: ask, although nothing is owed
  doubted boolean not null default false,
  -- what the channel's connector found the item to be
  reference text not null default '',
  -- why the channel refuses it, '' = it does not
  refused text not null default '',
  primary key (dest, location, product)
) with (fillfactor = 70);
create index publication_due on publication (dest, due) where due is not null;
create index publication_product on publication (product);
create index publication_untold on publication (untold_since) where untold > 0;

-- A channel showed something else than what we knew. expected, actual: thousandths;
-- state: open, explained (orders told since), unexplained (nobody told it in time)
create table publication_drift (
  id bigint generated always as identity primary key,
  dest smallint not null,
  location text not null,
  product text not null,
  found_at timestamptz not null,
  expected bigint not null,
  actual bigint not null check (actual <> expected),
  told bigint not null,
  state text not null default 'open' check (state in ('open', 'explained', 'unexplained')),
  orders text[] not null default '{}',
  closed_at timestamptz
);
create index publication_drift_open on publication_drift (found_at) where state = 'open';
create index publication_drift_place on publication_drift (dest, location, product, found_at);
create index item_component_product on item_component (product);
