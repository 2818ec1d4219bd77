-- Availability rules that were ever in force, whole; the newest ones are. The first need nobody.
create table availability_rules (
  id bigint generated always as identity primary key,
  hash bytea not null,                     -- of what they mean
  text text not null,
  activated_at timestamptz not null default now(),
  activated_by text not null
);
create function availability_rules_guard() returns trigger language plpgsql as $$
declare
  change jsonb;
begin
  if (select count(*) from availability_rules) = 1 then
    return null;
  end if;
  change := approved('stock.rules', 'activating changed availability rules');
  if change is not null and (change ->> 'hash', change ->> 'text')
     is distinct from (encode(new.hash, 'hex'), new.text) then
    raise exception 'the approval is for other rules' using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger availability_rules_activated after insert on availability_rules
  for each row execute function availability_rules_guard();
create function availability_rules_are_final() returns trigger language plpgsql as $$
begin
  raise exception 'availability rules are only added' using errcode = 'integrity_constraint_violation';
end $$;
create trigger availability_rules_final before update or delete or truncate on availability_rules
  for each statement execute function availability_rules_are_final();

-- The rules in force, which nobody changes before this transaction ends; text only when they are
-- others than those the caller knows. One call, so that a batch waits once: each statement of a
-- volatile function sees what was committed before it began.
create function availability_rules_held(known bytea)
  returns table (hash bytea, text text) language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(80);
  return query select r.hash, case when r.hash = known then null else r.text end
    from availability_rules r order by r.id desc limit 1;
end $$;
