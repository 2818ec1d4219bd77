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
-- Small open items that two persons wrote off.
create table item_written_off (
  entity text not null,
  account text not null,
  item text not null,
  turn int not null,
  amount bigint not null check (amount <> 0),
  currency text not null,
  fact text not null unique,
  by text not null,
  at timestamptz not null,
  primary key (entity, account, item, turn)
);
create function item_written_off_guard() returns trigger language plpgsql as $$
declare
  change jsonb;
begin
  change := approved('items.write_off', 'writing off ' || new.item);
  if change is not null
     and (change ->> 'entity', change ->> 'account', change ->> 'item', change ->> 'currency',
          (change ->> 'amount')::bigint)
       is distinct from (new.entity, new.account, new.item, new.currency, new.amount) then
    raise exception 'the approval is for another item' using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger item_written_off_approved after insert on item_written_off
  for each row execute function item_written_off_guard();
create function item_written_off_is_final() returns trigger language plpgsql as $$
begin
  raise exception 'what was written off stays so; a new fact corrects it'
    using errcode = 'integrity_constraint_violation';
end $$;
create trigger item_written_off_final before update or delete or truncate on item_written_off
  for each statement execute function item_written_off_is_final();
-- What of a month's sales is expected back, as it was told: differences, the sum up to a month is
-- what stands at its end.
create table returns_reserve (
  entity text not null,
  period text not null,
  channel text not null,
  turn int not null,
  department text not null,
  refund bigint not null,
  cost bigint not null,
  primary key (entity, period, channel, turn, department)
);
