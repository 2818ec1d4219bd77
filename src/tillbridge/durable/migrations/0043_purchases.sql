-- What was told of each supply number, whatever came of it: whom it is bought from, whether more
-- will come. Changed only by facts of its own key.
create table purchase (
  supply text primary key,
  -- newest telling and, of two of one version, the bytes that decide; '' before the first
  version text not null,
  digest text not null,
  -- '' where nobody told whom it is from
  supplier text not null,
  location text not null,
  due_at timestamptz,
  ordered_at timestamptz,
  closed boolean not null,
  -- the newest version that was said to be over, '' = all of them, null = none
  ended text,
  reason text not null,
  -- number of the proposal it comes from
  proposal text not null
);
create index purchase_proposal on purchase (proposal) where proposal <> '';
insert into purchase
select supply, max(version), '', '', min(location), min(due_at), null, bool_and(closed), null, '', ''
from supply where version <> '' group by supply;

-- what differs from what was ordered is looked for every few minutes, and is little
create index supply_over on supply (supply) where received > expected;
create index supply_short on supply (supply) where closed and received < expected;

-- Rules of replenishment and of deliveries that were ever in force, whole; the newest ones are. The
-- first need nobody.
create table replenishment_rules (
  id bigint generated always as identity primary key,
  hash bytea not null,                     -- of what they mean
  text text not null,
  activated_at timestamptz not null default now(),
  activated_by text not null
);
create function replenishment_rules_guard() returns trigger language plpgsql as $$
declare
  change jsonb;
begin
  if (select count(*) from replenishment_rules) = 1 then
    return null;
  end if;
  change := approved('stock.replenishment', 'activating changed rules of replenishment');
  if change is not null and (change ->> 'hash', change ->> 'text')
     is distinct from (encode(new.hash, 'hex'), new.text) then
    raise exception 'the approval is for other rules' using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger replenishment_rules_activated after insert on replenishment_rules
  for each row execute function replenishment_rules_guard();
create function replenishment_rules_are_final() returns trigger language plpgsql as $$
begin
  raise exception 'rules of replenishment are only added' using errcode = 'integrity_constraint_violation';
end $$;
create trigger replenishment_rules_final before update or delete or truncate on replenishment_rules
  for each statement execute function replenishment_rules_are_final();
