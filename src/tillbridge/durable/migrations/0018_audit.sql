-- What people did: written once, numbered without gaps, each row sealed with the hash of the one
-- before. For acts of people only: writing here waits for whoever else is writing here.
create table audit (
  id bigint primary key,
  at timestamptz not null,
  actor text not null check (actor <> ''),
  action text not null check (action <> ''),
  subject text not null,
  reason text not null default '',
  before text not null default '',   -- canonical JSON without personal data or secrets, '' = none
  after text not null default '',
  previous bytea not null,
  hash bytea not null
);
create index audit_at on audit (at);

-- The hash covers each value with its length in bytes; durable/audit.py works it out once more.
create function audit_hash(a audit) returns bytea language sql stable as $$
  select sha256(a.previous || convert_to(string_agg(
    octet_length(convert_to(part, 'UTF8')) || ':' || part, '' order by n), 'UTF8'))
  from unnest(array[
    a.id::text, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    a.actor, a.action, a.subject, a.reason, a.before, a.after]) with ordinality x (part, n)
$$;

-- Number, time and hashes are given here, under a lock of its own (76) that is held to the commit:
-- whoever inserts, by whatever way, takes the next link of the one chain.
create function audit_link() returns trigger language plpgsql as $$
declare
  last audit;
begin
  perform pg_advisory_xact_lock(76);
  select * into last from audit order by id desc limit 1;
  new.id := coalesce(last.id, 0) + 1;
  new.at := greatest(clock_timestamp(), last.at);
  new.previous := coalesce(last.hash, sha256(''));
  new.hash := audit_hash(new);
  return new;
end $$;
create trigger audit_linked before insert on audit for each row execute function audit_link();

create function audit_is_final() returns trigger language plpgsql as $$
begin
  raise exception 'the audit is only added to' using errcode = 'integrity_constraint_violation';
end $$;
create trigger audit_final before update or delete or truncate on audit
  for each statement execute function audit_is_final();
