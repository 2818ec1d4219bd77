-- When the next authorisation of an order lapses of which money is left and nobody was told.
alter table order_state add column lapses_at timestamptz;
create index order_lapses on order_state (lapses_at) where lapses_at is not null;
