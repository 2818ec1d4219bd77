-- Requests of orders that were answered short and are asked again when goods come. Changed with the
-- hold of their key.
create table waiting (
  key text primary key,
  -- the answer they stand for, as in `hold`
  version int not null,
  turn int not null,
  -- what is wanted, base units, as JSON; and how much of the product that lacks
  lines bytea not null,
  wanted bigint not null,
  -- key of the reservation it would take over
  takes text not null,
  -- asked again, and not answered yet
  asked boolean not null default false
);
