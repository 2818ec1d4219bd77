-- A place keeps its stock by condition; only what is sellable can be promised.
alter table stock
  add column condition text not null default 'sellable'
    check (condition in ('sellable', 'damaged', 'quarantine', 'in_transit')),
  -- newest instant at which a source told of this place (a movement's or a count's)
  add column heard_at timestamptz,
  -- set while channels have not been told of the newest change
  add column changed_at timestamptz,
  drop constraint stock_pkey,
  add primary key (location, product, condition),
  add check (condition = 'sellable' or reserved = 0);
create index stock_product on stock (product);
create index stock_changed on stock (changed_at) where changed_at is not null;

-- cause: why it moved, beyond its kind (a reason code, the source of a count)
alter table stock_movement
  add column condition text not null default 'sellable',
  add column cause text not null default '';
drop index stock_movement_place;
create index stock_movement_place on stock_movement (location, product, condition, occurred_at);

-- the item master as the stock book needs it. step: smallest quantity, thousandths of `unit`
create table item (
  product text primary key,
  title text not null default '',
  unit text not null default 'EA',
  step bigint not null default 1 check (step > 0),
  category text not null default '',
  sellable boolean not null default true,
  version text not null default ''
);
-- how much of the base unit another unit holds, thousandths
create table item_pack (
  product text not null,
  unit text not null,
  quantity bigint not null check (quantity > 0),
  primary key (product, unit)
);
-- what one unit of a bundle consists of, thousandths
create table item_component (
  bundle text not null,
  product text not null,
  quantity bigint not null check (quantity > 0),
  primary key (bundle, product),
  check (bundle <> product)
);

-- a line may stand at several places, and a bundle's line holds several products
alter table reservation
  drop constraint reservation_pkey,
  add primary key (key, line, product, location);
