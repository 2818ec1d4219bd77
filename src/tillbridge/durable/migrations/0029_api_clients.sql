-- Programs that ask over HTTP: a client is bound to one channel, its keys carry scopes.

alter table operator
  drop constraint operator_roles_check,
  add column channel text not null default '',  -- '': a person
  add constraint operator_roles_check check (roles <> '{}' and roles
    <@ array['viewer', 'operator', 'accountant', 'integrator', 'admin', 'client']),
  add constraint operator_client_check check (
    case when 'client' = any(roles)
      then cardinality(roles) = 1 and channel <> '' and entities = '{}' and os_user is null
      else channel = '' end);

-- rate: requests per second over ten seconds, 0 = what the hub gives every key
alter table operator_key
  add column scopes text[] not null default '{}',
  add column rate int not null default 0 check (rate >= 0);

-- What was answered to a request with an Idempotency-Key, written with its effect. asked: SHA-256 of
-- method, address and body. Outlives the log's partitions; forgotten with the deliveries.
create table api_answer (
  client text not null,
  key text not null,
  asked bytea not null,
  status smallint not null,
  body bytea not null,
  day date not null,
  primary key (client, key)
);
create index api_answer_day on api_answer using brin (day);

-- As before (0021), and the channel of a client is part of what is given.
create or replace function operator_guard() returns trigger language plpgsql as $$
declare
  change jsonb;
begin
  if tg_op = 'UPDATE' and old.name = new.name
     and (new.os_user is null or old.os_user is not distinct from new.os_user)
     and old.channel = new.channel
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
                             change ->> 'os_user', coalesce(change ->> 'channel', ''))
     is distinct from (new.name, to_jsonb(new.roles), to_jsonb(new.entities),
                       coalesce(new.os_user, ''), new.channel) then
    raise exception 'the approval is for other rights' using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
