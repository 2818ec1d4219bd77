-- What goods cost, and what every movement of them is worth where the hub values stock.

-- standard costs by day; of two tellings of one day the later one counts
create table unit_cost (
  entity text not null,
  product text not null,
  since date not null,
  unit_cost bigint not null check (unit_cost > 0),  -- thousandths of a minor unit per base unit
  currency text not null,
  told_at timestamptz not null,
  source text not null,
  fact text not null,
  reckoned boolean not null default false,  -- what stood on the shelf that day was revalued by it
  primary key (entity, product, since)
);
create index unit_cost_new on unit_cost (since) where not reckoned;
-- one row per movement of an entity whose stock the hub values; all of them were read up to `movement`
create table goods_read (
  entity text primary key,
  movement bigint not null
);
create table costs_read (
  record bigint not null
);
insert into costs_read values (0);
create table goods_value (
  movement bigint primary key,     -- stock_movement.id
  key text not null,
  origin text not null,            -- under which key its goods left, where they came back by another
  entity text not null,
  product text not null,
  location text not null,
  damaged boolean not null,        -- what is damaged is worth nothing
  kind text not null,
  quantity bigint not null,
  day date not null,
  at timestamptz not null,
  voided boolean not null default false,
  category text not null default '',
  amount bigint,                   -- told so far, minor units; null while its cost is not known
  worth bigint,                    -- of which stands in the inventory
  turn int not null default 0,     -- how often it was told
  due boolean not null default true
) with (fillfactor = 80);
create index goods_value_origin on goods_value (origin, entity, product);
create index goods_value_key on goods_value (key);
create index goods_value_product on goods_value (entity, product, day);
create index goods_value_due on goods_value (entity, product) where due;
create index goods_value_without_cost on goods_value (entity, product) where amount is null;
-- what a change of the list did to what stood on the shelf that day
create table goods_revalued (
  entity text not null,
  product text not null,
  since date not null,
  location text not null,
  amount bigint not null,
  turn int not null,
  primary key (entity, product, since, location)
);

-- What is worked out by policy (costs, breakage, reserves) is a flow of its own: an ERP that books
-- sales by its documents knows nothing of it. What the old check let in, the new one does, so the
-- rows need not be read again.
alter table entry drop constraint entry_flow_check;
alter table entry add constraint entry_flow_check check (flow in ('web', 'stores', 'policy')) not valid;
