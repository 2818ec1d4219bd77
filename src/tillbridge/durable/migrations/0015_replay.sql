-- Trying cases again as a plan, kept copies of the state, and the record from which on the log
-- tells every effect: what an older release wrote has no markers and cannot be replayed.
alter table hub add column log_told_from bigint not null default 0;
update hub set log_told_from = coalesce((select max(id) from record), 0);

create table replay_plan (
  id bigint generated always as identity primary key,
  made_by text not null,
  wanted text not null,
  matched int not null,
  state text not null default 'planned' check (state in ('planned', 'running', 'done', 'cancelled')),
  made_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz
);
create index replay_plan_open on replay_plan (id) where state in ('planned', 'running');
create table replay_member (
  plan bigint not null references replay_plan,
  case_id bigint not null,
  state text not null default 'waiting'
    check (state in ('waiting', 'ready', 'done', 'failed', 'left')),
  primary key (plan, case_id)
);
create index replay_member_open on replay_member (plan, state, case_id)
  where state in ('waiting', 'ready');

create table checkpoint (
  position bigint primary key,
  taken_at timestamptz not null,
  state_hash text not null,
  folder text not null,
  bytes bigint not null
);
