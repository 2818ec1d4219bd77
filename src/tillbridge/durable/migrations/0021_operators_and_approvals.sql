-- Named operators, their keys, and changes that one person proposes and another approves.

create table operator (
  name text primary key check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
  os_user text unique,
  roles text[] not null check (
    roles <> '{}' and roles <@ array['viewer', 'operator', 'accountant', 'integrator', 'admin']),
  entities text[] not null default '{}',   -- none: all of them
  made_at timestamptz not null default now(),
  made_by text not null,
  revoked_at timestamptz
);

-- A key is shown once; what is kept is its hash. The key is random, so a plain hash will do.
create table operator_key (
  prefix text primary key,
  hash bytea not null,
  operator text not null references operator,
  made_at timestamptz not null default now(),
  made_by text not null,
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index operator_key_of on operator_key (operator);

-- alone_amount: minor units a person may give up alone; alone_keys: keys replayed alone
alter table hub
  add column second_person boolean not null default true,
  add column alone_amount bigint not null default 100000,
  add column alone_keys int not null default 1000;

alter table exception_case add column given_up boolean not null default false;

-- A proposal is never edited: another one is made. before: what the change was proposed upon.
create table approval (
  id bigint generated always as identity primary key,
  action text not null,
  subject text not null,
  entity text not null default '',         -- '': of more than one entity
  change bytea not null,                   -- canonical JSON, the very thing that is applied
  change_hash bytea not null,
  before bytea not null,
  author text not null references operator,
  reason text not null check (reason <> ''),
  made_at timestamptz not null default now(),
  state text not null default 'proposed' check (state in ('proposed', 'applied', 'rejected', 'void')),
  approver text references operator,
  approver_key text references operator_key,
  decided_at timestamptz,
  note text not null default '',
  check (approver <> author),
  check ((approver is not null) = (state in ('applied', 'rejected')))
);
create index approval_open on approval (made_at) where state = 'proposed';

create function approval_guard() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' then
    raise exception 'a proposal is never taken out' using errcode = 'integrity_constraint_violation';
  end if;
  if (old.id, old.action, old.subject, old.entity, old.change, old.change_hash, old.before,
      old.author, old.reason, old.made_at)
     is distinct from
     (new.id, new.action, new.subject, new.entity, new.change, new.change_hash, new.before,
      new.author, new.reason, new.made_at) or old.state <> 'proposed' then
    raise exception 'proposal % is decided or would be edited: make another one', old.id
      using errcode = 'integrity_constraint_violation';
  end if;
  if new.state = 'applied' then
    if sha256(new.change) <> new.change_hash then
      raise exception 'proposal % was edited after it was made', old.id
        using errcode = 'integrity_constraint_violation';
    end if;
    if exists (select from operator where name = new.approver and revoked_at is not null)
       or exists (select from operator_key where prefix = new.approver_key
                  and (made_by = new.author or operator <> new.approver)) then
      raise exception 'proposal % cannot be approved by % with that key', old.id, new.approver
        using errcode = 'integrity_constraint_violation';
    end if;
  end if;
  new.decided_at := now();
  return new;
end $$;
create trigger approval_guarded before update or delete on approval
  for each row execute function approval_guard();
create trigger approval_kept before truncate on approval
  for each statement execute function approval_guard();

-- The approved change of this transaction, as JSON; null where no second person is asked for.
-- Raises when one is asked for and the transaction holds no approval of that action.
create function approved(wanted text, what text) returns jsonb language plpgsql as $$
declare
  found_change bytea;
begin
  if not (select second_person from hub) then
    return null;
  end if;
  select a.change into found_change from approval a
  where a.id = nullif(current_setting('tillbridge.approval', true), '')::bigint
    and a.action = wanted and a.state = 'applied' and a.decided_at = now();
  if not found then
    raise exception '% needs the approval of a second person', what
      using errcode = 'integrity_constraint_violation';
  end if;
  return convert_from(found_change, 'UTF8')::jsonb;
end $$;

-- A name that is filled in needs no second person; one that is altered or taken out does.
create function xref_guard() returns trigger language plpgsql as $$
declare
  change jsonb;
  wrong record;
begin
  if tg_op = 'DELETE' then
    if exists (select from was) then
      perform approved('names.change', 'taking out a name');
      raise exception 'names are altered, not taken out' using errcode = 'integrity_constraint_violation';
    end if;
    return null;
  end if;
  perform from was full join becomes using (connection, kind, theirs)
    where was.ours is distinct from becomes.ours limit 1;
  if not found then
    return null;
  end if;
  change := approved('names.change', 'altering a name');
  if change is null then
    return null;
  end if;
  select w.connection, w.kind, w.theirs into wrong
  from was w full join becomes b using (connection, kind, theirs)
  where w.ours is distinct from b.ours and not exists (
    select from jsonb_to_recordset(change -> 'names')
      as n (connection text, "table" text, theirs text, ours text)
    where n.connection = w.connection and n."table" = w.kind and n.theirs = w.theirs
      and n.ours = b.ours)
  limit 1;
  if found then
    raise exception 'the approval does not cover % % %', wrong.connection, wrong.kind, wrong.theirs
      using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger xref_altered after update on xref referencing old table as was new table as becomes
  for each statement execute function xref_guard();
create trigger xref_removed after delete on xref referencing old table as was
  for each statement execute function xref_guard();

create function period_guard() returns trigger language plpgsql as $$
declare
  change jsonb;
begin
  if old.state <> 'locked' then
    return null;
  end if;
  if tg_op = 'UPDATE' then
    if (old.entity, old.period, 'locked') = (new.entity, new.period, new.state) then
      return null;
    end if;
  end if;
  change := approved('periods.unlock', 'unlocking ' || old.entity || ' ' || old.period);
  if change is not null and (change ->> 'entity', change ->> 'period')
     is distinct from (old.entity, old.period) then
    raise exception 'the approval is for another period' using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger period_unlocked after update or delete on period
  for each row execute function period_guard();

-- What a person is given: from the second admin on, one admin proposes and another approves.
create function operator_guard() returns trigger language plpgsql as $$
declare
  change jsonb;
begin
  if tg_op = 'UPDATE' and old.name = new.name
     and (new.os_user is null or old.os_user is not distinct from new.os_user)
     and new.roles <@ old.roles and (old.revoked_at is null or new.revoked_at is not null)
     and (old.entities = new.entities
          or (new.entities <> '{}' and (old.entities = '{}' or new.entities <@ old.entities))) then
    return null;
  end if;
  if (select count(*) from operator where 'admin' = any(roles) and revoked_at is null
      and name <> new.name) < 2 then
    return null;
  end if;
  change := approved('operators.grant', 'giving ' || new.name || ' rights');
  if change is not null and (change ->> 'name', change -> 'roles', change -> 'entities',
                             change ->> 'os_user')
     is distinct from (new.name, to_jsonb(new.roles), to_jsonb(new.entities),
                       coalesce(new.os_user, '')) then
    raise exception 'the approval is for other rights' using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger operator_granted after insert or update on operator
  for each row execute function operator_guard();

create function operator_is_kept() returns trigger language plpgsql as $$
begin
  raise exception 'operators are revoked, never taken out' using errcode = 'integrity_constraint_violation';
end $$;
create trigger operator_kept before delete or truncate on operator
  for each statement execute function operator_is_kept();

-- What is asked of a second person is itself changed by an operator, and the database says who.
create function second_person_guard() returns trigger language plpgsql as $$
declare
  actor text := nullif(current_setting('tillbridge.operator', true), '');
begin
  if (old.second_person, old.alone_amount, old.alone_keys)
     = (new.second_person, new.alone_amount, new.alone_keys) then
    return null;
  end if;
  if actor is null then
    raise exception 'an operator has to be named: tillbridge.operator'
      using errcode = 'integrity_constraint_violation';
  end if;
  if old.second_person and (select count(*) from operator
      where 'admin' = any(roles) and revoked_at is null) >= 2
     and not exists (select from approval a
       where a.id = nullif(current_setting('tillbridge.approval', true), '')::bigint
         and a.action = 'approvals.policy' and a.state = 'applied' and a.decided_at = now()) then
    raise exception 'asking less of a second person needs the approval of one'
      using errcode = 'integrity_constraint_violation';
  end if;
  insert into audit (actor, action, subject, reason, before, after) values (
    actor, 'approvals.policy', 'hub', coalesce(current_setting('tillbridge.reason', true), ''),
    jsonb_build_object('second_person', old.second_person, 'alone_amount', old.alone_amount,
                       'alone_keys', old.alone_keys)::text,
    jsonb_build_object('second_person', new.second_person, 'alone_amount', new.alone_amount,
                       'alone_keys', new.alone_keys)::text);
  return null;
end $$;
create trigger hub_second_person after update of second_person, alone_amount, alone_keys on hub
  for each row execute function second_person_guard();

create function given_up_guard() returns trigger language plpgsql as $$
declare
  change jsonb;
begin
  if abs(new.amount) > (select alone_amount from hub) then
    change := approved('cases.give_up', 'giving up case ' || new.id);
    if change is not null and (change ->> 'case')::bigint is distinct from new.id then
      raise exception 'the approval is for another case' using errcode = 'integrity_constraint_violation';
    end if;
  end if;
  return null;
end $$;
create trigger exception_case_given_up after update of given_up on exception_case
  for each row when (new.given_up and not old.given_up) execute function given_up_guard();

-- Rule books that were ever in force, whole; the newest one is. The first needs nobody.
create table rule_book (
  id bigint generated always as identity primary key,
  hash bytea not null,
  files bytea not null,                    -- JSON: file -> text
  activated_at timestamptz not null default now(),
  activated_by text not null
);
create function rule_book_guard() returns trigger language plpgsql as $$
declare
  change jsonb;
begin
  if (select count(*) from rule_book) = 1 then
    return null;
  end if;
  change := approved('rules.activate', 'activating changed posting rules');
  if change is not null and change ->> 'hash' is distinct from encode(new.hash, 'hex') then
    raise exception 'the approval is for other rules' using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger rule_book_activated after insert on rule_book
  for each row execute function rule_book_guard();
create function rule_book_is_final() returns trigger language plpgsql as $$
begin
  raise exception 'rule books are only added' using errcode = 'integrity_constraint_violation';
end $$;
create trigger rule_book_final before update or delete or truncate on rule_book
  for each statement execute function rule_book_is_final();
