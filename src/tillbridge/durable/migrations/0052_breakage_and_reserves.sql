-- What of gift cards will never be spent, as it was told to the money book: one row per card, or per
-- month in which cards were sold. income: ours; escheat: the state's.
create table card_breakage (
  entity text not null,
  currency text not null,
  item text not null,
  income bigint not null,
  escheat bigint not null,
  turn int not null,
  primary key (entity, currency, item)
);
