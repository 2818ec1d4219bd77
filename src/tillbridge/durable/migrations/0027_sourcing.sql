-- Goods that are expected at a location. Changed only under the lock of the place's sellable stock
-- row, as are the promises made out of them.
create table supply (
  supply text not null,
  product text not null,
  location text not null,
  -- newest telling of the supply, '' when goods of it came before it was told
  version text not null,
  due_at timestamptz,
  expected bigint not null check (expected >= 0),
  received bigint not null default 0 check (received >= 0),
  -- nothing more will come
  closed boolean not null default false,
  primary key (supply, product, location)
);
create index supply_place on supply (location, product) where not closed;

-- what an order was promised out of a supply; no part of what is reserved until the goods arrive
create table promise (
  key text not null,
  line text not null,
  product text not null,
  supply text not null,
  location text not null,
  quantity bigint not null check (quantity > 0),
  primary key (key, line, product, supply, location)
);
create index promise_supply on promise (supply, product, location);

alter table hold
  -- how often the last request was answered anew because stock moved or arrived
  add column turn int not null default 0,
  -- what is not there may be promised out of supply; else only these products
  add column backorder boolean not null default false,
  add column preorder text[] not null default '{}',
  -- whether there are rows in `promise`
  add column promised boolean not null default false;
