-- A month ends in two steps: soft-closed it takes only keys that a person admitted, locked it takes
-- nothing, and that takes two persons.
alter table period drop constraint period_state_check;
alter table period add constraint period_state_check
  check (state in ('open', 'soft-closed', 'locked'));

-- keys whose late facts may still be posted on their own days while the month is soft-closed
create table period_admission (
  entity text not null,
  period text not null,
  key text not null,
  reason text not null,
  admitted_by text not null,
  admitted_at timestamptz not null,
  primary key (entity, period, key)
);
create index period_admission_key on period_admission (key);

create or replace function entry_period_guard() returns trigger language plpgsql as $$
declare
  wrong record;
begin
  perform pg_advisory_xact_lock_shared(66);
  select a.id, a.entity, p.period, p.state into wrong
  from added a join period p on p.entity = a.entity and p.period = to_char(a.posted_date, 'YYYY-MM')
  where p.state = 'locked'
     or (p.state = 'soft-closed'
         and not exists (select from period_admission m
                         where m.entity = p.entity and m.period = p.period and m.key = a.key))
  limit 1;
  if found then
    raise exception 'period % of % is %; entry % cannot be posted in it',
      wrong.period, wrong.entity, wrong.state, wrong.id using errcode = 'check_violation';
  end if;
  return null;
end $$;

create function period_lock_guard() returns trigger language plpgsql as $$
declare
  change jsonb;
begin
  if tg_op = 'UPDATE' then
    if (old.entity, old.period, old.state) = (new.entity, new.period, 'locked') then
      return null;
    end if;
  end if;
  change := approved('periods.lock', 'locking ' || new.entity || ' ' || new.period);
  if change is not null and (change ->> 'entity', change ->> 'period')
     is distinct from (new.entity, new.period) then
    raise exception 'the approval is for another period' using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger period_locked after insert or update on period
  for each row when (new.state = 'locked') execute function period_lock_guard();
